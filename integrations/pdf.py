"""A page about a client as a PDF of A4: the same lines as in text, the same bytes for the same page.

Its font is Open Sans (Apache 2.0, from the package ttf-opensans): Latin with all accents, Greek, Cyrillic. What it does not have is
shown by a mark, and the page says so.
"""

import re
import unicodedata
from collections.abc import Sequence
from importlib.resources import as_file, files
from typing import NamedTuple

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos
from fpdf.fonts import TTFFont

from models.instants import Instant, local
from models.timeline import Sheet

MARK = "\N{REPLACEMENT CHARACTER}"
MARKED = f"Letters that the font of this page does not have are shown as {MARK}."
FONT, BOLD = "OpenSans-Regular.ttf", "OpenSans-Bold.ttf"
MARGIN, BOTTOM = 17.0, 15.0  # mm
HEAD, WHEN, PART = 29.0, 29.0, 25.0  # widths of columns, mm
SMALL, TITLE = 7.4, 15.0  # points
ROW_OF_FOOT = 3.6  # mm
INK, GREY, RULE = (25, 25, 25), (95, 95, 95), (190, 190, 190)
_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_IN_A_DAY = re.compile(rf"(?<=\d) (?=(?:{_MONTH})\b)|(?<=\b(?:{_MONTH})) (?=\d)")


class Density(NamedTuple):
    """How close lines stand: the size of letters in points, the height of a line and what is left between two in mm."""

    size: float
    row: float
    gap: float


USUAL, CLOSE = Density(8.4, 4.0, 0.5), Density(7.8, 3.6, 0.1)


class _Page(FPDF):
    """A4, with code, day and number at the foot of each page."""

    def __init__(self, foot: str, density: Density) -> None:
        super().__init__("P", "mm", "A4")
        self._foot, self.density = foot, density
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(True, BOTTOM)
        for style, name in (("", FONT), ("B", BOLD)):
            with as_file(files("ttf_opensans") / "ttf" / name) as path:
                self.add_font("sans", style, path)
        self.add_page()

    @property
    def letters(self) -> frozenset[int]:
        """The code points that the font has."""
        font = self.fonts["sans"]
        assert isinstance(font, TTFFont)
        return frozenset(font.cmap)

    def give_up(self) -> None:
        """Close the files of its fonts, which otherwise `output` does."""
        for font in self.fonts.values():
            assert isinstance(font, TTFFont)
            font.close()

    def footer(self) -> None:
        self.set_y(-BOTTOM + 4)
        self.set_font("sans", "", SMALL)
        self.set_text_color(*GREY)
        self.cell(self.epw, USUAL.row, f"{self._foot}, page {self.page_no()} of {{nb}}")

    def row(self, labels: Sequence[tuple[float, str]], text: str, keep: float = 0) -> None:
        """Labels in grey, each with its width, and a text of as many lines as it takes; never parted by the end of a page, nor from what
        is `keep` mm high below it."""
        size, row, gap = self.density
        self.set_font("sans", "", size)
        width = self.epw - sum(column for column, _ in labels)
        if self.will_page_break(_height(self, width, row, text) + keep):
            self.add_page()
        self.set_text_color(*GREY)
        for column, label in labels:
            self.cell(column, row, label)
        self.set_text_color(*INK)
        self.multi_cell(width, row, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(gap)

    def rule(self) -> None:
        """A thin line from margin to margin."""
        self.ln(1.5)
        self.set_draw_color(*RULE)
        self.line(self.l_margin, self.y, self.w - self.r_margin, self.y)
        self.ln(2.0)


def as_pdf(sheet: Sheet, code: str, now: Instant, zone: str) -> bytes:
    """The bytes of a page. `code` stands at the foot of each page and in the file's own title: never a name."""
    page = _laid(sheet, code, USUAL)
    if page.pages_count > 1:
        close = _laid(sheet, code, CLOSE)
        page, other = (close, page) if close.pages_count == 1 else (page, close)
        other.give_up()
    page.set_title(code)
    page.set_lang("en")
    page.set_creation_date(local(now, zone))
    return bytes(page.output())


def _laid(sheet: Sheet, code: str, density: Density) -> _Page:
    page = _Page(f"{code}, printed {sheet.printed}", density)
    letters, marked = page.letters, False

    def shown(text: str) -> str:
        nonlocal marked
        whole = unicodedata.normalize("NFC", text)
        fitting = "".join(sign if ord(sign) in letters else MARK for sign in whole)
        marked = marked or fitting != whole
        return _IN_A_DAY.sub("\N{NO-BREAK SPACE}", fitting)

    head = [(shown(label), shown(said)) for label, said in sheet.head]
    lines = [(shown(line.when), shown(line.part), shown(line.text)) for line in sheet.lines]
    foot = [shown(sentence) for sentence in sheet.foot]
    foot += [MARKED] if marked else []
    page.set_text_color(*INK)
    page.set_font("sans", "B", TITLE)
    page.multi_cell(page.epw, 7.5, shown(sheet.title), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.ln(1.0)
    for label, said in head:
        page.row([(HEAD, label)], said)
    page.rule()
    page.set_font("sans", "", SMALL)
    keep = 4.0 + sum(_height(page, page.epw, ROW_OF_FOOT, sentence) for sentence in foot)
    for number, (when, part, text) in enumerate(lines, start=1):
        page.row([(WHEN, when), (PART, part)], text, keep if number == len(lines) else 0)
    page.rule()
    page.set_font("sans", "", SMALL)
    page.set_text_color(*GREY)
    for sentence in foot:
        page.multi_cell(page.epw, ROW_OF_FOOT, sentence, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    return page


def _height(page: FPDF, width: float, row: float, text: str) -> float:
    height = page.multi_cell(width, row, text, align="L", dry_run=True, output=MethodReturnValue.HEIGHT)
    assert isinstance(height, float)
    return height
