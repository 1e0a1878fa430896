"""The page about each rule is what its examples say today, and no page is left over."""

import pytest

from tests.rules.render import PAGES, page
from tests.rules.table import tables


@pytest.mark.parametrize("name", tables())
def test_the_page_is_up_to_date(name):
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert text == page(tables()[name]), "run: python -m tests.rules.render"


@pytest.mark.parametrize("name", tables())
def test_examples_of_one_kind_stand_together(name):
    headings = [line for line in page(tables()[name]).splitlines() if line.startswith("## ")]
    assert headings == [f"## {kind.label}" for kind in tables()[name].rule.kinds.values()]


def test_every_page_is_about_a_rule():
    assert {file.stem for file in PAGES.glob("*.md")} == set(tables())
