"""The timeline as a PDF, read back by a program that is not ours: the same lines, the same bytes, names in most scripts."""

import io
import re
import unicodedata

import pytest
from pypdf import PdfReader

from integrations.pdf import MARK, MARKED, as_pdf
from models.timeline import Sheet
from models.timeline_line import Line
from tests.builders import NOW, ZONE

CODE = "C-7F3K9QX"
PRINTED = "Mon 23 Nov 2026, 09:00"


def a_sheet(lines=3, name="Anna Müller", text="Attended."):
    rows = tuple(Line(NOW + n, "Mon 23 Nov 2026", "Appointments", f"{n + 1}. {text}") for n in range(lines))
    return Sheet("Timeline of care", (("Client", f"{CODE}, {name}"), ("Care", "in care")), rows, ("A foot.",), PRINTED)


def pages(sheet, now=NOW):
    return PdfReader(io.BytesIO(as_pdf(sheet, CODE, now, ZONE))).pages


def read(sheet):
    """The words of all pages, with single spaces between them."""
    return " ".join(" ".join(page.extract_text() for page in pages(sheet)).split())


def test_it_holds_every_line_of_the_page_in_order():
    text = read(
        a_sheet(text="A text that is long enough to need more than one line of the page, since it goes on " * 3)
    )
    wanted = [f"Mon 23 Nov 2026 Appointments {n}. A text that is long enough" for n in (1, 2, 3)]
    assert [text.count(each) for each in wanted] == [1, 1, 1]
    assert [text.index(each) for each in wanted] == sorted(text.index(each) for each in wanted)
    assert "Timeline of care Client C-7F3K9QX, Anna Müller Care in care" in text
    assert "A foot." in text
    assert MARKED not in text


@pytest.mark.parametrize(
    "name",
    [
        "Łucja Şahin-Þórsdóttir",
        "Nguyễn Thị Đặng",
        "Αθηνά Παπαδοπούλου",
        "Юлія Щербаківна",
        "O’Brien “Zoë” İIıi",
        "Małgorzata Őry",
    ],
)
def test_names_are_drawn_in_most_scripts(name):
    for form in ("NFC", "NFD"):
        text = read(a_sheet(name=unicodedata.normalize(form, name)))
        assert unicodedata.normalize("NFC", name) in text
        assert MARK not in text


def test_what_the_font_does_not_have_is_marked_and_said():
    text = read(a_sheet(name="Wang 王芳 \u05e9\u05e8\u05d4\n\U0001f600 Fang"))
    assert f"Wang {MARK * 2} {MARK * 3}{MARK * 2} Fang" in text
    assert MARKED in text


def test_the_same_page_is_the_same_bytes_and_dated_by_when_it_was_made():
    assert as_pdf(a_sheet(), CODE, NOW, ZONE) == as_pdf(a_sheet(), CODE, NOW, ZONE)
    assert as_pdf(a_sheet(), CODE, NOW, ZONE) != as_pdf(a_sheet(text="Missed."), CODE, NOW, ZONE)
    for now in (NOW, NOW + 86400):
        made = PdfReader(io.BytesIO(as_pdf(a_sheet(), CODE, now, ZONE))).metadata
        assert made.creation_date.timestamp() == now
        assert made.title == CODE
        assert made.author is None


@pytest.mark.parametrize(("lines", "count"), [(3, 1), (45, 1), (57, 1), (140, 3)])
def test_a_page_or_as_many_as_it_takes_each_with_its_number(lines, count):
    found = [page.extract_text() for page in pages(a_sheet(lines))]
    assert len(found) == count
    for number, text in enumerate(found, start=1):
        assert f"{CODE}, printed {PRINTED}, page {number} of {count}" in " ".join(text.split())
    whole = "\n".join(found)
    assert [int(n) for n in re.findall(r"Appointments\s+(\d+)\. Attended", whole)] == list(range(1, lines + 1))


@pytest.mark.parametrize("lines", range(50, 70, 2))
def test_the_foot_never_stands_alone_on_a_page(lines):
    last = pages(a_sheet(lines))[-1].extract_text()
    assert "A foot." in last
    assert f"{lines}. Attended." in last


def test_a_line_is_never_parted_by_the_end_of_a_page():
    long = "word " * 120
    for page in pages(a_sheet(40, text=f"{long}end")):
        text = " ".join(page.extract_text().split())
        assert text.count("1. word") + len(re.findall(r"(?<!\d)\d+\. word", text)) >= 1
        assert len(re.findall(r"\d+\. word", text)) == text.count("word end")
