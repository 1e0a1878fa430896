"""A policy kept as plain layers gives the same thresholds again, whatever the program's own defaults and fields are by then."""

import json
import re

from models.kinds import all_kinds
from models.policy_layers import PolicyBook
from tests.builders import NOW, an_answer

BOOK = PolicyBook(
    {"quiet_after_days": 20},
    {"North": {"missed_in_a_row": 3}},
    {"T1": {"quiet_factor": 4}},
    {"C-7F3K9QX": {"quiet_after_days": 40}},
    {"C-7F3K9QX": 5},
)


def test_layers_give_the_same_policy_again():
    again = PolicyBook.restored(json.loads(json.dumps(BOOK.layers())), {"C-7F3K9QX": 5})
    for site, therapist, client in (("", "", None), ("North", "T1", None), ("North", "T2", 5)):
        assert again.of(site, therapist, client) == BOOK.of(site, therapist, client)
    assert again.fingerprint() == BOOK.fingerprint()


def test_defaults_of_its_time_hold_and_fields_that_are_gone_are_left_out():
    layers = BOOK.layers()
    layers["default"] = {**layers["default"], "rhythm_gaps": 9, "once_there_was": 1}
    layers["practice"] = {**layers["practice"], "once_there_was": 2}
    again = PolicyBook.restored(layers, {})
    assert again.of().policy.rhythm_gaps == 9
    assert again.of("North", "T1", 5).policy.quiet_after_days == 20
    assert again.fingerprint() != BOOK.fingerprint()


def test_a_field_is_told_in_words_and_only_where_it_says_something():
    """Whoever reads it at the desk has no practice.toml, and knows no field's name."""
    layered = BOOK.of("North", "T2", 5)
    told = {name: layered.told(name) for kind in all_kinds().values() for name in kind.policy}
    assert [text for text in told.values() if re.search(r"\w_\w| = |no-show", text, re.IGNORECASE)] == []
    assert told["agreed_rhythm_days"] == told["review_rule"] == ""
    assert told["quiet_after_days"].endswith("after the last appointment: 40 days (agreed with this client).")
    assert told["srs_drop"] == "A session rating that falls by so much is talked about: 1 point (default)."
    rhythm = layered.agreed([an_answer("quiet", "agreed", NOW, days=21)])
    assert rhythm.told("agreed_rhythm_days").endswith(
        "in their appointments: 21 days (agreed with this client in an answer)."
    )
