"""Wording in files: what would disclose too much does not load; all that loads is calm and short."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from integrations.messages.compose import Item, compose, item_of
from integrations.messages.samples import PROTOCOL, samples
from integrations.messages.templates import FOLDER, WordingError, load
from models.disclosure import CEILING, FIELD_LEVEL, Disclosure, Surface
from models.habits import HABITS
from models.rule import Kind
from models.rules import all_rules
from models.voice import Voice
from tests.integrations.messages.samples import AT, CODE

MANNERS: dict[str, Any] = {"to_zone": "Europe/London", "locale": "en_GB", "at": AT}
KINDS: list[tuple[str, Kind]] = [(rule.name, kind) for rule in all_rules() for kind in rule.kinds.values()]


def place(rule: str, kind: Kind) -> tuple[str, str]:
    """Where a kind of finding has its words: what is told in a weekly list has a folder of its own."""
    return (kind.name if kind.speaks == "weekly_list" else rule, kind.name)


FACTS = samples(AT, Voice("Europe/London", "en_GB", AT))
OPTIONAL = {"since", "reason", "question", "protocol"}
NEEDED = {("handed_over", "handed_over")}  # what it cannot do without is called like what others can
FORBIDDEN = re.compile(
    r"\b(stalled|no-?shows?|terminat\w*|alert\w*|at risk|deteriorat\w*|acknowledge|dismiss|snooze|overdue|urgent|"
    r"non-?compliant|failed to attend|cancell?ed|patients?|therapy|click)\b|[!✅⚠🔔]",
    re.IGNORECASE,
)


@pytest.fixture
def wording_copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "wording"))


def items() -> list[Item]:
    whole = [item_of(*part, facts, **MANNERS) for part, facts in FACTS.items()]
    least = [
        item_of(*part, {name: fact for name, fact in FACTS[part].items() if name not in OPTIONAL}, **MANNERS)
        for part in FACTS
        if OPTIONAL & FACTS[part].keys() and part not in NEEDED
    ]
    return whole + least


def test_every_wording_has_facts_here_and_none_is_left_over() -> None:
    assert load().items.keys() == FACTS.keys()


@pytest.mark.parametrize(("rule", "kind"), KINDS, ids=[kind.name for _, kind in KINDS])
def test_every_kind_of_finding_has_words(rule: str, kind: Kind) -> None:
    assert place(rule, kind) in load().items
    said = item_of(*place(rule, kind), FACTS[place(rule, kind)], **MANNERS)
    assert said.label.startswith(kind.label)
    assert CODE in said.label
    assert said.sentence.startswith(FACTS[place(rule, kind)]["sentence"])
    assert said.clears == kind.clears


@pytest.mark.parametrize("kind", [kind for rule, kind in KINDS if rule == "trust"], ids=lambda kind: kind.name)
def test_a_prompt_about_trust_asks_its_one_question(kind: Kind) -> None:
    for _, asked in HABITS:
        told = item_of("trust", kind.name, FACTS["trust", kind.name] | {"question": asked}, **MANNERS)
        assert told.sentence == FACTS["trust", kind.name]["sentence"] + f" {asked}"


@pytest.mark.parametrize("kind", [kind for _, kind in KINDS if kind.speaks == "safety"], ids=lambda kind: kind.name)
def test_what_asks_for_safety_holds_the_practice_protocol_and_says_what_it_is_not(kind: Kind) -> None:
    facts = FACTS["safety", kind.name]
    assert item_of("safety", kind.name, facts, **MANNERS).sentence.endswith(
        f" {PROTOCOL} This is not a crisis service."
    )
    without = item_of("safety", kind.name, facts | {"protocol": None}, **MANNERS)
    assert without.sentence == facts["sentence"] + " This is not a crisis service."


def test_all_words_are_calm_and_lines_are_short() -> None:
    message = compose(items(), practice="Northside", **MANNERS)
    seen = re.sub(r"(?s)<style>.*?</style>|<!doctype html>|<[^>]+>", "", message.html)
    for text in (message.subject, message.text, message.title, message.brief, seen):
        assert not FORBIDDEN.search(text), FORBIDDEN.search(text)
    assert max(len(line) for line in message.text.splitlines()) <= 78
    assert all(len(item.label) <= 60 and len(item.sentence) <= 320 for item in items())
    assert "None" not in message.text


def test_a_title_is_one_label_and_whom_it_is_about() -> None:
    """`Referral: how is it going?: C-...` are two titles in one."""
    labels = [item.label for item in items()]
    assert [label for label in labels if label.count(": ") > 1 or "?:" in label] == []
    assert f"Safety: PHQ-9, item 9 ({CODE})" in labels
    assert f"Referral: how is it going? {CODE}" in labels


def test_the_search_for_forbidden_words_can_fail() -> None:
    assert FORBIDDEN.search("ALERT: client stalled")
    assert FORBIDDEN.search("Call now!")


def test_a_fact_that_is_none_is_not_given() -> None:
    told = item_of("source_stale", "source_stale", {"source": "S", "since": None}, **MANNERS)
    assert told.sentence == "We could not read S yet; clients without a booking there are not flagged meanwhile."


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("mail/subject.txt", "{{ practice }}: {{ code }}", "code"),
        ("mail/subject.txt", "{{ practice }}: {{ items[0].label }}", "items"),
        ("mail/opening.txt", "{{ count }} about {{ code }}", "code"),
        ("brief/title.txt", "{{ sentence }}", "sentence"),
        ("brief/body.txt", "{% if count %}{{ source }}{% endif %}", "source"),
        ("stalled/quiet.txt", "Quiet: {{ client_name }}\n\n{{ sentence }}\n\n{{ clears }}", "client_name"),
        ("stalled/quiet.txt", "Quiet: {{ code }}\n\n{{ sentence }}\n\n{{ contact }}", "contact"),
        ("mail/frame.html", "<p>{{ title }}</p>", "title"),
        ("mail/frame.txt", "{% for item in items %}{{ item.label }}{% endfor %}{{ nobody_decided }}", "nobody_decided"),
    ],
)
def test_what_discloses_too_much_does_not_load(wording_copy: Path, file: str, text: str, named: str) -> None:
    (wording_copy / file).write_text(text, encoding="utf-8")
    with pytest.raises(WordingError) as refused:
        load(wording_copy)
    assert file in str(refused.value)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("stalled/quiet.txt", "{{ label }\n\n{{ sentence }}"),
        ("stalled/quiet.txt", "{{ label | shout }}\n\n{{ sentence }}"),
        ("stalled/quiet.txt", "only a label"),
        ("stalled/quiet.txt", "{% include 'mail/frame.txt' %}\n\n{{ sentence }}"),
        ("mail/footer.txt", "{{ practice }}"),
        ("stalled/quiet.html", "{{ label }}\n\n{{ sentence }}"),
    ],
)
def test_what_cannot_be_used_is_named(wording_copy: Path, file: str, text: str) -> None:
    (wording_copy / file).write_text(text, encoding="utf-8")
    with pytest.raises(WordingError, match=re.escape(file)):
        load(wording_copy)


def test_a_missing_frame_is_named(wording_copy: Path) -> None:
    (wording_copy / "mail" / "frame.html").unlink()
    with pytest.raises(WordingError, match=r"mail/frame\.html"):
        load(wording_copy)


def test_a_missing_fact_names_the_file_and_no_value() -> None:
    with pytest.raises(WordingError, match=r"stalled/quiet\.txt") as refused:
        item_of("stalled", "quiet", {"code": CODE, "label": "Quiet", "clears": ""}, **MANNERS)
    assert CODE not in str(refused.value)
    with pytest.raises(WordingError, match="no wording stalled/unheard_of"):
        item_of("stalled", "unheard_of", {}, **MANNERS)


def test_no_surface_shows_identity() -> None:
    assert set(CEILING) == set(Surface)
    assert max(CEILING.values()) < Disclosure.identity
    assert CEILING[Surface.mail_opening] == CEILING[Surface.mail_subject] == CEILING[Surface.brief] == Disclosure.public
    assert FIELD_LEVEL["code"] > Disclosure.public


def test_a_clients_invitation_names_a_number_to_call_or_nobody_to_call() -> None:
    facts = {"when": "Tue 1 Dec 2026 at 10:00 (Europe/London)", "minutes": 50}
    with_phone = item_of("invitation", "request", facts | {"phone": "030 1234"}, **MANNERS)
    without = item_of("invitation", "request", facts, **MANNERS)
    assert "call 030 1234: an answer by mail is not read." in with_phone.clears
    assert "call" not in without.clears
    assert "An answer by mail is not read." in without.clears
