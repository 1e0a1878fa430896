"""A page about a client as a PDF of A4: the same lines as in text, the same bytes for the same page.

Its font is Open Sans (Apache 2.0, from the package ttf-opensans): Latin with all accents, Greek, Cyrillic. What it does not have is
shown by a mark, and the page says so.
"""

import unicodedata
from importlib.resources import as_file, files

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos
from fpdf.fonts import TTFFont

from models.instants import Instant, local
from models.timeline import Sheet

MARK = "\N{REPLACEMENT CHARACTER}"
MARKED = f"Letters that the font of this page does not have are shown as {MARK}."
FONT, BOLD = "OpenSans-Regular.ttf", "OpenSans-Bold.ttf"
MARGIN, BOTTOM = 18.0, 16.0  # mm
WHEN, PART = 29.0, 25.0  # widths of the first two columns, mm
SIZE, ROW, GAP = 8.4, 4.0, 0.5  # points; height of a line and what is left between two, mm
SMALL, TITLE = 7.4, 15.0  # points
INK, GREY, RULE = (25, 25, 25), (95, 95, 95), (190, 190, 190)


class _Page(FPDF):
    """A4, with code, day and number at the foot of each page."""

    def __init__(self, foot: str) -> None:
        super().__init__("P", "mm", "A4")
        self._foot = foot
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(True, BOTTOM)
        for style, name in (("", FONT), ("B", BOLD)):
            with as_file(files("ttf_opensans") / "ttf" / name) as path:
                self.add_font("sans", style, path)

    @property
    def letters(self) -> frozenset[int]:
        """The code points that the font has."""
        font = self.fonts["sans"]
        assert isinstance(font, TTFFont)
        return frozenset(font.cmap)

    def footer(self) -> None:
        self.set_y(-BOTTOM + 4)
        self.set_font("sans", "", SMALL)
        self.set_text_color(*GREY)
        self.cell(self.epw, ROW, f"{self._foot}, page {self.page_no()} of {{nb}}")


def as_pdf(sheet: Sheet, code: str, now: Instant, zone: str) -> bytes:
    """The bytes of a page. `code` stands at the foot of each page and in the file's own title: never a name."""
    page = _Page(f"{code}, printed {sheet.printed}")
    letters = page.letters
    marked = False

    def shown(text: str) -> str:
        nonlocal marked
        whole = unicodedata.normalize("NFC", text)
        fitting = "".join(sign if ord(sign) in letters else MARK for sign in whole)
        marked = marked or fitting != whole
        return fitting

    page.set_title(code)
    page.set_lang("en")
    page.set_creation_date(local(now, zone))
    page.add_page()
    page.set_text_color(*INK)
    page.set_font("sans", "B", TITLE)
    page.multi_cell(page.epw, 7.5, shown(sheet.title), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.ln(1.5)
    for label, said in sheet.head:
        _row(page, (PART + 6,), (shown(label),), shown(said))
    _rule(page)
    for line in sheet.lines:
        _row(page, (WHEN, PART), (shown(line.when), shown(line.part)), shown(line.text))
    _rule(page)
    page.set_font("sans", "", SMALL)
    page.set_text_color(*GREY)
    for sentence in (*map(shown, sheet.foot), *((MARKED,) if marked else ())):
        page.multi_cell(page.epw, 3.6, sentence, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    return bytes(page.output())


def _row(page: FPDF, widths: tuple[float, ...], labels: tuple[str, ...], text: str) -> None:
    """Labels in grey and a text that may take several lines; never parted by the end of a page."""
    page.set_font("sans", "", SIZE)
    width = page.epw - sum(widths)
    height = page.multi_cell(width, ROW, text, align="L", dry_run=True, output=MethodReturnValue.HEIGHT)
    assert isinstance(height, float)
    if page.will_page_break(height):
        page.add_page()
    page.set_text_color(*GREY)
    for label, column in zip(labels, widths, strict=True):
        page.cell(column, ROW, label)
    page.set_text_color(*INK)
    page.multi_cell(width, ROW, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.ln(GAP)


def _rule(page: FPDF) -> None:
    page.ln(1.5)
    page.set_draw_color(*RULE)
    page.line(page.l_margin, page.y, page.w - page.r_margin, page.y)
    page.ln(2.5)
