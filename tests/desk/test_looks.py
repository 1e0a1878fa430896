"""How it looks: few colours, enough contrast in both, and a timeline whose sentence says what its marks say."""

import re
from datetime import date

import pytest

from integrations.store.desk import Pause, Shown
from models.appointments import Mark
from models.instants import DAY
from models.voice import Voice
from tending.desk.app import CSS
from tending.desk.picture import MARGIN, WIDTH, timeline
from tests.builders import NOW, ZONE

COLOUR = re.compile(r"--(\w+): (#[0-9a-f]{6})")
LIGHT, DARK = (dict(COLOUR.findall(part)) for part in CSS.split("@media (prefers-color-scheme: dark)", 1))


def luminance(colour):
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_stands_out_and_there_are_at_most_four_colours(colours):
    assert colours.keys() == {"ground", "text", "soft", "line", "act", "safety"}  # two neutral, four to speak with
    for name in ("text", "soft", "act", "safety"):
        assert contrast(colours[name], colours["ground"]) >= 4.5, name


def test_no_other_colour_is_used_and_nothing_is_fetched():
    assert not re.search(r"#[0-9a-f]{3,8}\b|rgb|hsl", COLOUR.sub("", CSS))
    assert "url(" not in CSS
    assert "@import" not in CSS


def an(days, plan="booked", mark=Mark.unknown, by=None):
    return Shown(NOW + days * DAY, plan, int(mark), by)


def test_the_timeline_and_its_sentence_say_the_same():
    appointments = [
        an(-28, mark=Mark.attended),
        an(-21, mark=Mark.presumed),
        an(-14, mark=Mark.no_show),
        an(-10, plan="cancelled", by="client"),
        an(-7),
        an(7),
        an(14),
        an(21, plan="proposed"),
    ]
    shown = timeline(appointments, [Pause(date(2026, 8, 3), date(2026, 8, 16))], Voice(ZONE, "en_GB", NOW))
    assert [which for _, which in shown.marks] == ["seen", "seen", "missed", "off", "open", "booked", "booked"]
    xs = [x for x, _ in shown.marks]
    assert xs == sorted(xs)
    assert all(MARGIN <= x <= WIDTH - MARGIN for x in xs)
    assert xs[4] < shown.now_x < xs[5]
    assert shown.sentence == (
        "Since Mon 25 May: two attended, one missed (9 Nov), one called off (13 Nov) and one not marked (16 Nov)."
        " Planned breaks: Mon 3 Aug to Sun 16 Aug. Next booked: Mon 30 Nov, in 7 days, and one more."
    )


def test_a_timeline_of_nothing_says_so():
    shown = timeline([], [], Voice(ZONE, "en_US", NOW))
    assert shown.sentence == "Since Mon, May 25: none attended. Nothing is booked ahead."
    assert [name for _, name in shown.months][:2] == ["Jun", "Jul"]
