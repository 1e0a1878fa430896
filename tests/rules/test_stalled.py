"""The rule `stalled` against its table of examples, and what holds for all of its kinds."""

import pytest

from models.clock import Clock
from models.rules.stalled import KINDS, RULE
from models.voice import Voice
from tests.builders import a_history, a_row, sharing
from tests.rules.stalled_examples import CANNOT_SAY, EXAMPLES, Example


def looked(example: Example):
    together = sharing(example.now, pauses=example.pauses, blind=example.blind, **example.policy)
    row = a_row(a_history(**{"known_at": example.now, **example.history}), example.zone)
    return together, row


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e.kind}: {e.name}")
def test_example(example):
    together, row = looked(example)
    verdicts = {verdict.kind: verdict for verdict in together.look(row).verdicts}
    verdict = verdicts[example.kind]
    assert (verdict.fired, verdict.reason) == (example.fired, example.reason)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e.kind}: {e.name}")
def test_every_answer_has_a_sentence_and_the_policy_it_rests_on(example):
    together, row = looked(example)
    voice = Voice(example.zone, "en_GB", example.now)
    said = RULE.explain(together.case(row), together.policy(row), voice, Clock(example.now))
    assert [line["kind"] for line in said] == list(KINDS)
    for line in said:
        assert line["sentence"].endswith(".")
        assert bool(line["clears"]) == bool(line["fired"])
        assert line["policy"]


def test_every_kind_has_both_answers_in_the_table():
    for kind in KINDS:
        answers = {example.fired for example in EXAMPLES if example.kind == kind}
        assert {True, False} <= answers
        assert (CANNOT_SAY in answers) == (kind != "unconfirmed")


def test_names_of_examples_are_unique():
    names = [(example.kind, example.name) for example in EXAMPLES]
    assert len(names) == len(set(names))
