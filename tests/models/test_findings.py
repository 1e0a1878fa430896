"""What a look changes about findings: opened, kept, cleared; generations and their grace; what cannot be said changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.findings import Standing, settle
from models.instants import DAY
from models.rule import Verdict
from models.rules import all_rules
from tests.builders import NOW

GRACE = 7 * DAY
KINDS = {kind.name: kind for rule in all_rules() for kind in rule.kinds.values()}


def settled(fired: bool | None, standing: Standing | None) -> str:
    found = settle([Verdict("quiet", fired, "why")], {"quiet": standing} if standing else {}, NOW, GRACE, KINDS)
    parts = [f"opened {generation}" for _, generation in found.opened]
    parts += [f"raised {generation}" for _, generation in found.raised]
    parts += ["kept" for _ in found.kept] + ["cleared" for _ in found.cleared]
    return " ".join(parts)


OPEN = Standing("quiet", 3, NOW - 5 * DAY, None)


def clear_for(seconds: int) -> Standing:
    return Standing("quiet", 3, NOW - 50 * DAY, NOW - seconds)


def back_since(seconds: int) -> Standing:
    return Standing("quiet", 3, NOW - seconds, None, speaks_at=NOW - seconds + GRACE)


@pytest.mark.parametrize(
    ("fired", "standing", "what"),
    [
        (True, None, "opened 1"),
        (False, None, ""),
        (None, None, ""),
        (True, OPEN, "kept"),
        (False, OPEN, "cleared"),
        (True, back_since(GRACE - 1), "kept"),
        (True, back_since(GRACE), "raised 4"),  # back within its grace time, and still so: it speaks
        (False, back_since(GRACE), "cleared"),
        (None, back_since(GRACE), ""),
        (None, OPEN, ""),  # cannot say: neither raised nor cleared
        (True, clear_for(GRACE - 1), "opened 3"),  # the same one, back within its grace time
        (True, clear_for(GRACE), "opened 4"),
        (True, clear_for(0), "opened 3"),
        (False, clear_for(GRACE), ""),
        (None, clear_for(GRACE), ""),
    ],
)
def test_settling(fired, standing, what):
    assert settled(fired, standing) == what


@given(st.lists(st.tuples(st.sampled_from((True, False, None)), st.integers(0, 10 * DAY)), max_size=30))
def test_it_speaks_anew_only_after_the_grace_time_and_then_always(looks):
    """Clear for the grace time, or open for as long since it came back; each look here is kept as the store keeps it."""
    now, standing, last, clear_since = NOW, dict[str, Standing](), 0, NOW
    spoke: list[int] = []
    for fired, later in looks:
        now += later
        found = settle([Verdict("quiet", fired, "why")], standing, now, GRACE, KINDS)
        assert len(found.opened) + len(found.kept) + len(found.cleared) + len(found.raised) <= 1
        for _, generation in found.opened:
            assert fired
            rises = last == 0 or now - clear_since >= GRACE
            assert generation == last + rises
            spoke += [now] * rises
            standing["quiet"] = Standing("quiet", generation, now, None, None if rises else now + GRACE)
            last = generation
        for _, generation in found.raised:
            assert fired
            assert generation == last + 1
            assert now - standing["quiet"].opened_at >= GRACE
            spoke.append(now)
            standing["quiet"] = standing["quiet"]._replace(generation=generation, speaks_at=None)
            last = generation
        for kind in found.cleared:
            assert fired is False
            standing[kind], clear_since = standing[kind]._replace(cleared_at=now, speaks_at=None), now
        stands = standing.get("quiet")
        if fired and stands and now - stands.opened_at >= GRACE:
            assert spoke[-1] >= stands.opened_at, "open for so long, and nobody was told in this opening"
