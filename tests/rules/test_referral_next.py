"""When a referral is next asked about, as lists show it: the very instant at which the rule begins to speak."""

from collections.abc import Sequence

import pytest

from models.instants import DAY
from models.referral_acts import ReferralAct, What
from models.referrals import referral_of, referred
from models.rules.referral import next_asked
from tests.builders import NOW, a_history, a_policy, a_row, sharing

POLICY = a_policy()
STORIES: dict[str, tuple[Sequence[tuple[str, float, dict[str, object]]], list[float]]] = {
    "nothing chosen": ([], [7, 14, 30, 60, 90]),
    "the client calls": ([("self-arranged", 1, {})], [8, 15, 31, 46, 76]),
    "accepted": ([("self-arranged", 1, {}), ("news", 2, {"word": "accepted"})], [15, 31, 61]),
    "booked": ([("self-arranged", 1, {}), ("news", 2, {"word": "booked", "day": NOW + 50 * DAY})], [53, 83]),
    "attended": ([("attended", 9, {"day": NOW + 8 * DAY})], [11, 41]),
    "no place": ([("self-arranged", 1, {"provider": "P1"}), ("news", 2, {"word": "full"})], [2, 32]),
    "it fits": ([("attended", 9, {"day": NOW + 8 * DAY}), ("fits", 12, {"fits": True})], []),
}


@pytest.mark.parametrize("story", STORIES)
def test_it_is_asked_at_the_instant_that_was_shown(story: str) -> None:
    more, days = STORIES[story]
    offer = ReferralAct("R-1", What.offered, NOW, providers=("P1", "P2", "P3"), follow_up=True)
    acts = [ReferralAct("R-1", What(what), NOW + round(day * DAY), **with_it) for what, day, with_it in more]  # type: ignore[arg-type]
    stood = referral_of([offer, *acts])
    assert not stood.aside
    last, heard = acts[-1].at if acts else NOW, []
    row = a_row(a_history(referrals=[referred(stood)]))
    before: object = ()
    for second in range(last, NOW + 92 * DAY, DAY // 2):
        shown = next_asked(stood, POLICY, second)
        facts = [v.facts for v in sharing(second).look(row).verdicts if v.kind.startswith("referral") and v.fired]
        assert bool(facts) == (shown == second)
        if not facts:
            assert shown is None or shown > second
        if facts and facts != before:
            heard.append((second - NOW) / DAY)
        before = facts
    assert heard[: len(days)] == days
