"""Every rule against its table of examples, and what holds for all tables: each rule has one, and both answers of each of its kinds."""

import json
import re
import time

import pytest

from models.rules import all_rules
from tests.rules.render import PAGES
from tests.rules.table import CANNOT_SAY, tables

EXAMPLES = [(table.rule, example) for table in tables().values() for example in table.examples]
NAMES = [f"{example.kind}: {example.name}" for _, example in EXAMPLES]
# What nobody wants to read about themselves, or at the end of a long day.
FORBIDDEN = re.compile(
    r"\b(stalled|no-?shows?|terminat\w*|alert\w*|at risk|deteriorat\w*|acknowledge|dismiss|snooze|overdue|urgent|fail\w*|ruptur\w*|"
    r"non-?compliant|cancell?ed|patients?|therapy|disorder\w*|None|-1)\b|1969|1970|!",
    re.IGNORECASE,
)


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=NAMES)
def test_example(rule, example):
    verdict = example.verdict()
    assert (verdict.fired, verdict.reason) == (example.fired, example.reason)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
def test_examples_say_the_same_in_whatever_zone_the_machine_is(zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert time.tzname != ("UTC", "UTC"), "the machine knows no such zone"
        for _, example in EXAMPLES:
            verdict = example.verdict()
            assert (verdict.fired, verdict.reason) == (example.fired, example.reason), example.name
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=NAMES)
def test_every_answer_has_a_calm_sentence_and_the_policy_it_rests_on(rule, example):
    said = example.explained(rule)
    assert [line["kind"] for line in said] == list(rule.kinds)
    for line in said:
        assert line["sentence"].endswith(".")
        assert len(line["sentence"]) <= 320
        assert not FORBIDDEN.search(line["sentence"]), line["sentence"]
        assert bool(line["clears"]) == bool(line["fired"])
        assert line["policy"]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=NAMES)
def test_facts_are_the_same_after_they_were_stored(rule, example):
    facts = list(example.verdict().facts)
    assert json.loads(json.dumps(facts)) == facts


def test_every_rule_has_a_table_and_a_page():
    names = {rule.name for rule in all_rules()}
    assert {name: table.rule.name for name, table in tables().items()} == {name: name for name in names}
    assert {file.stem for file in PAGES.glob("*.md")} == names


@pytest.mark.parametrize("name", tables())
def test_every_kind_has_a_meaning_and_every_answer_it_can_give(name):
    table = tables()[name]
    assert list(table.about) == list(table.rule.kinds)
    for kind, meaning in table.about.items():
        answers = {example.fired for example in table.examples if example.kind == kind}
        assert {True, False} <= answers
        assert (CANNOT_SAY in answers) == meaning.absence


def test_names_of_examples_are_unique():
    assert len(NAMES) == len(set(NAMES))


def test_the_search_for_words_that_hurt_can_fail():
    assert FORBIDDEN.search("The patient failed to attend.")
    assert FORBIDDEN.search("Looked at Thu 1 Jan 1970.")
