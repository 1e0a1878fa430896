"""One recipient's items become one message, the same in its text and its HTML."""

import re
from html.parser import HTMLParser

import pytest

from integrations.messages.compose import PREVIEW, Item, compose, preview
from integrations.messages.templates import FOLDER
from tests.integrations.messages.samples import AT, CODE, a_message, an_item


class Reader(HTMLParser):
    """Collects text and the addresses that would be fetched or followed."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "background", "srcset"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_two_items_are_one_message_with_a_neutral_subject() -> None:
    message = a_message(an_item(), an_item("Two appointments missed in a row (10 and 17 Nov)."))
    assert message.subject == message.title == "Northside: 2 items"
    assert CODE not in message.subject + message.title + message.brief
    assert f"\n\nQuiet: {CODE}\nLast seen Tue 3 Nov, 20 days ago;" in message.text
    assert "Northside, as of Mon 23 Nov, 07:30." in message.text
    assert "https://desk.northside.example/n/1" in message.text.split()


def test_one_item_and_american_order() -> None:
    message = a_message(locale="en_US")
    assert message.subject == "Northside: 1 item"
    assert "as of Mon, Nov 23, 7:30 am." in message.text
    assert '<html lang="en-US">' in message.html


def test_html_says_what_the_text_says_and_fetches_nothing() -> None:
    message = a_message(an_item(), Item("Not read: Dr K.'s calendar", "A sentence with <b> & signs."))
    html = read(message.html)
    squeezed = " ".join(" ".join(html.words).split())
    for part in ("Quiet: " + CODE, an_item().sentence, an_item().clears, "A sentence with <b> & signs."):
        assert part in squeezed
        assert part in " ".join(message.text.split())
    assert html.links == ["https://desk.northside.example/n/1"]
    assert not {"img", "script", "link", "iframe", "table", "b"} & set(html.tags)
    assert "url(" not in message.html
    assert "@import" not in message.html


@pytest.mark.parametrize("items", [1, 2, 12])
def test_what_a_locked_telephone_shows_of_the_body_is_neutral(items: int) -> None:
    """The first words of either part are the opening, whatever the items say; the HTML part holds a longer preview back too."""
    message = a_message(*[Item(f"Safety: PHQ-9, item 9 ({CODE})", "Item 9 of the PHQ-9 is 1 of 3.")] * items)
    shown = preview(message)
    assert shown.startswith(f"{items} item")
    assert len(shown) > PREVIEW - 20
    in_html = "".join(read(message.html.partition("<body>")[2]).words).lstrip()
    for begins in (" ".join(message.text.split()), in_html):
        assert begins.startswith(shown)
        assert not re.search("PHQ|C-7|item 9", begins[:PREVIEW])
    assert len(in_html.partition("Safety")[0]) > 3 * PREVIEW


def test_codes_are_explained_where_there_are_codes() -> None:
    assert "A code stands for one client." in a_message().text
    assert "A code stands" not in a_message(Item("The last 7 days", "All sources were read.")).text


def test_an_empty_message_is_never_made() -> None:
    with pytest.raises(ValueError, match="item"):
        compose([], practice="Northside", to_zone="Europe/London", locale="en_GB", at=AT)


def test_a_link_is_a_web_address() -> None:
    with pytest.raises(ValueError, match="http"):
        a_message(Item("x", "y", link="javascript:alert(1)"))


@pytest.mark.parametrize(
    "practice", ["North\r\nBcc: x@example.org", "North\u2028side", "\u202eedishtroN", "  Praxis  am   Fluß ", "N" * 500]
)
def test_a_practice_name_stays_one_line(practice: str) -> None:
    subject = a_message(practice=practice).subject
    assert len(subject.splitlines()) == 1
    assert not re.search("[\u0000-\u001f\u202a-\u202e\u2028]", subject)
    assert len(subject) <= 160
    assert subject.endswith(": 1 item")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_stands_out_in_light_and_dark() -> None:
    style = re.findall(r"(?s)<style>(.*?)</style>", (FOLDER / "mail" / "frame.html").read_text(encoding="utf-8"))[0]
    light, dark = style.split("@media")
    for scheme in (light, dark):
        ground = re.findall(r"background: (#\w{6})", scheme)
        texts = re.findall(r"[{ ]color: (#\w{6})", scheme)
        assert len(ground) == 1
        assert len(texts) >= 3
        for text in texts:
            high, low = sorted((luminance(text), luminance(ground[0])), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)
