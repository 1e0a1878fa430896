"""The documented form is the form: docs/forms.md is rendered from the code, and its examples are read by it."""

from pathlib import Path

import pytest

from integrations.records.columns import key
from integrations.records.forms import FORMS
from integrations.records.look_alikes import LOOK_ALIKES
from integrations.records.page import example, forms_page
from models.entries import KIND_OF
from models.measures import REGISTRY
from tests.integrations.records.exports import accounted, read


def test_the_page_says_what_the_code_does(root: Path) -> None:
    page = (root / "docs" / "forms.md").read_text()
    assert page == forms_page(), "docs/forms.md is not what integrations/records/page.py renders; write it anew"
    for form in FORMS.values():
        for column in form.columns:
            assert f"| `{column.name}` |" in page
    for measure in REGISTRY.values():
        assert f"| {measure.name} | {measure.title} | {measure.low:g} to {measure.high:g}: {measure.coding} |" in page


@pytest.mark.parametrize("name", sorted(FORMS))
def test_each_example_is_read(tmp_path: Path, name: str) -> None:
    reading = read(tmp_path, name, example(FORMS[name]))
    assert accounted(reading)
    assert [KIND_OF[type(entry)] for entry in reading.entries] == [FORMS[name].kind]
    texts = {column.name for column in FORMS[name].columns if column.only_whether}
    assert reading.dropped == dict.fromkeys(texts, 1), "nothing is left at the border but the texts of these columns"
    needed = {column.name for column in FORMS[name].columns if column.required}
    assert needed <= set(example(FORMS[name]).splitlines()[0].split(","))


def test_no_header_is_read_as_two_columns_and_no_look_alike_as_one() -> None:
    for form in FORMS.values():
        names = [key(column.name) for column in form.columns]
        assert len(set(names)) == len(names)
        synonyms = [key(name) for column in form.columns for name in column.synonyms]
        assert len(set(synonyms)) == len(synonyms), form.name
        if form.name == "appointments":
            dates = [column for column in form.columns if column.name in ("start", "date", "time", "end")]
            assert not {key(name) for column in dates for name in (column.name, *column.synonyms)} & LOOK_ALIKES.keys()
