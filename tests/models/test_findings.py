"""What a look changes about findings: opened, kept, cleared; generations and their grace; what cannot be said changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.findings import Standing, settle
from models.instants import DAY
from models.rule import Verdict
from tests.builders import NOW

GRACE = 7 * DAY


def settled(fired: bool | None, standing: Standing | None) -> str:
    found = settle([Verdict("quiet", fired, "why")], {"quiet": standing} if standing else {}, NOW, GRACE)
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
def test_generations_rise_only_after_being_clear_for_the_grace_time(looks):
    standing: dict[str, Standing] = {}
    now, clear_since, last = NOW, None, 0
    for fired, later in looks:
        now += later
        found = settle([Verdict("quiet", fired, "why")], standing, now, GRACE)
        assert len(found.opened) + len(found.kept) + len(found.cleared) <= 1
        for _, generation in found.opened:
            assert fired
            rises = last == 0 or now - clear_since >= GRACE
            assert generation == last + rises
            standing["quiet"], last = Standing("quiet", generation, now, None), generation
        for kind in found.cleared:
            assert fired is False
            standing[kind], clear_since = Standing(kind, last, NOW, now), now
