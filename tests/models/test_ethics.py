"""What the four codes of ethics are quoted with: every preset in one table, and the practice's own text in its place."""

import pytest

from models.ethics import CODES, Basis, Text, code_of
from models.settings import PracticePart

# code: the period as the code gives it, the paragraph, how far it was checked, and who says that no ending is made to begin anything.
PRESETS = {
    "apa": ("at least two years", "10.08(a)", Basis.seen, Basis.own),
    "aca": ("for five years after", "A.5.c", Basis.seen, Basis.own),
    "aamft": ("Never a sexual relationship", "1.5", Basis.memory, Basis.own),
    "nasw": ("names no period", "1.09(c)", Basis.memory, Basis.memory),
}


def test_the_presets_are_those_that_practice_toml_takes():
    assert list(PRESETS) == list(CODES) == list(PracticePart.model_fields["ethics"].annotation.__args__)
    assert PracticePart(name="Practice", zone="UTC").ethics == "apa"


@pytest.mark.parametrize(("name", "period", "paragraph", "basis", "begin"), [(n, *row) for n, row in PRESETS.items()])
def test_a_preset(name, period, paragraph, basis, begin):
    code = code_of(name)
    former = code.former[0]
    assert period in former.text
    assert former.source.endswith(paragraph)
    assert (former.basis, code.not_to_begin.basis) == (basis, begin)
    assert "to begin a" in code.not_to_begin.text
    for text in (*code.former, code.current, code.not_to_begin):
        assert text.text.endswith(".")
        assert text.source
        assert ("from memory" in text.quoted()) == (text.basis is Basis.memory)


def test_the_own_text_of_a_practice_stands_in_place_of_the_codes():
    code = code_of("aca", "We never do.")
    assert code.former == (Text("We never do.", "this practice's own text", Basis.own),)
    assert (code.current, code.not_to_begin) == (CODES["aca"].current, CODES["aca"].not_to_begin)
    assert code_of("aca", "") == CODES["aca"]
