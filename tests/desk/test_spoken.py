"""Whoever reads the desk has no terminal: no sentence that it repeats names a command or an option."""

import ast
import inspect
import re

import pytest

from integrations.messages.compose import item_of
from integrations.messages.samples import TO_ADMIN, samples
from integrations.messages.templates import load
from integrations.rendering import UNSAID
from integrations.store import leave_going, leave_plans, referrals
from models import answers, ending_refusals, referral_refusals
from models.rules import all_rules
from models.rules import referral as referral_rule
from models.rules import termination as termination_rule
from models.spoken import here
from models.voice import Voice
from tests.builders import NOW

ELSEWHERE = ("No leave of ", "Somebody to take over goes with ")  # the desk's forms cannot come to these
VOICE = Voice("Europe/Berlin", "en_GB", NOW)
COMMAND = re.compile(r"`|--[a-z]|tending ")


def sentences(module):
    """Every text of a module's code, its docstrings left out; parts of one that is put together, together."""
    tree = ast.parse(inspect.getsource(module))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and isinstance(node.body[0], ast.Expr)
    }
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs | inside:
            yield node.value


@pytest.mark.parametrize(
    "module", [ending_refusals, referral_refusals, referrals, leave_plans, leave_going, referral_rule, termination_rule]
)
def test_no_refusal_names_a_command(module):
    said = [one for one in sentences(module) if " " in one and not one.startswith(ELSEWHERE)]
    assert len(said) > 3
    assert [one for one in said if COMMAND.search(here(one))] == []


def test_nothing_that_clears_a_card_names_a_command():
    clears = [kind.clears for rule in all_rules() for kind in rule.kinds.values()]
    assert any("`" in one for one in clears)
    assert [one for one in clears if COMMAND.search(here(one))] == []


@pytest.mark.parametrize("part", [part for part in load().items if part[0] not in TO_ADMIN], ids="-".join)
def test_no_mail_that_leads_to_the_desk_names_a_command(part):
    said = item_of(*part, samples(NOW, VOICE)[part], to_zone=VOICE.zone, locale=VOICE.locale, at=NOW)
    assert not COMMAND.search(here(f"{said.sentence} {said.clears}"))


def test_what_could_not_be_put_into_words_names_no_command_either():
    assert COMMAND.search(UNSAID.sentence)
    assert not COMMAND.search(here(UNSAID.sentence))


def test_what_names_none_is_said_as_it_is():
    for one in ("That day has passed; name one that lies ahead.", "Said on 3 Nov (a Tuesday)."):
        assert here(one) == one


def test_no_refusal_of_an_answer_names_a_word_of_the_terminal():
    refusals = [one for one in sentences(answers) if one.endswith(".") or one.startswith(("Say why", "`X`"))]
    said = [here(one) for one in refusals if not one.startswith(("I have", "We ", "This isn", "It is known", "Ask me"))]
    assert len(said) > 10
    words = re.compile(r"`|\bsnooze\b|no-concern|reasons are|\bdone\b")
    assert [one for one in said if words.search(one)] == []
