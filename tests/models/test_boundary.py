"""The boundary never changes with time: what is said, that no end of it exists anywhere in the code or the tables, and what is quoted."""

import ast
import re
import tokenize

import pytest
from sqlmodel import SQLModel

import models.boundary
import models.ethics
from models.boundary import DIED, Contact, Standing, boundary
from models.ethics import CODES, code_of

# contact: whether it stays open, of a client who lives and of one who died, and what a reason has to say.
ANSWERS = {
    Contact.personal: (Standing.restricted, "does not change with time"),
    Contact.outreach: (Standing.restricted, "none of it is care"),
    Contact.clinical: (Standing.open, "through the practice"),
    Contact.administrative: (Standing.open, "bills, records"),
    Contact.return_to_care: (Standing.open, "may always come back"),
}


@pytest.mark.parametrize("name", CODES)
def test_every_kind_of_contact_has_its_answer_under_every_code(name):
    answer = boundary(code_of(name))
    assert {w.contact: w.standing for w in answer.words} == {one: standing for one, (standing, _) in ANSWERS.items()}
    for word in answer.words:
        assert ANSWERS[word.contact][1] in word.reason
    facts = answer.facts()
    assert [one["standing"] for one in facts["contact"]] == [w.standing.value for w in answer.words]
    assert [one["text"] for one in facts["ethics"]["former"]] == [t.text for t in CODES[name].former]
    assert facts["ethics"]["not_to_begin"]["basis"] == CODES[name].not_to_begin.basis.value


def test_of_a_client_who_died_nothing_opens():
    answer = boundary(code_of("apa"), died=True)
    for word, plain in zip(answer.words, boundary(code_of("apa")).words, strict=True):
        over = word.contact in (Contact.clinical, Contact.return_to_care)
        assert word.standing == (Standing.over if over else plain.standing)
        assert (word.reason == DIED) == (word.standing is Standing.open)


@pytest.mark.parametrize("module", [models.boundary, models.ethics], ids=["boundary", "ethics"])
def test_nothing_of_it_can_reckon_with_time(module, root):
    tree = ast.parse((root / f"{module.__name__.replace('.', '/')}.py").read_text(encoding="utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [node.module])
    }
    assert imported <= {"enum", "typing", "models.ethics"}
    numbers = [
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) in (int, float)
    ]
    assert numbers == []


END = re.compile(
    r"(eligib|restrict|boundar|relationship|personal|waiting_period|cool|moratori|former|contactable|allowed)"
    r"\w*_(on|at|until|after|from|end|ends|since|days|years|over|expires)\b|"
    r"(end|expir|until|days|years)\w*_(of_)?(boundar|restrict|relationship|waiting_period)",
    re.IGNORECASE,
)


def test_what_looks_for_ends_would_find_them():
    for name in (
        "eligible_on",
        "boundary_until",
        "restricted_until",
        "relationship_allowed_after",
        "waiting_period_ends",
    ):
        assert END.search(name), name
    for name in ("boundary", "restricted", "ended_on", "paused_until", "former", "eligible", "expires_at"):
        assert not END.search(name), name


def test_no_table_holds_an_end_of_it():
    import integrations.store.tables  # noqa: F401 - so that every table is known

    columns = [f"{table.name}.{column.name}" for table in SQLModel.metadata.tables.values() for column in table.columns]
    assert len(columns) > 100
    assert [name for name in columns if END.search(name)] == []


def test_no_name_or_fact_in_the_code_is_an_end_of_it(root):
    """Names and keys of facts alike: every name, and every string that is one word."""
    found, read = [], 0
    for folder in ("tending", "flows", "integrations", "models"):
        for path in sorted((root / folder).rglob("*.py")):
            read += 1
            with tokenize.open(path) as file:
                for token in tokenize.generate_tokens(file.readline):
                    word = token.string.strip("'\"")
                    if (
                        token.type in (tokenize.NAME, tokenize.STRING)
                        and re.fullmatch(r"\w+", word)
                        and END.search(word)
                    ):
                        found.append(f"{path.relative_to(root)}:{token.start[0]} {word}")
    assert read > 150
    assert found == []
