"""What `init` says of a folder: columns that are left out, rows that are not understood, words nobody knows, zones and owners."""

import pytest

from integrations.records.calendar_files import zone_named_in
from integrations.records.detect import detect
from tests.integrations.records.exports import NOW, ZONE


def calendar(name="", zone="", event_zone=""):
    head = (f"X-WR-CALNAME:{name}\n" if name else "") + (f"X-WR-TIMEZONE:{zone}\n" if zone else "")
    start = f"DTSTART;TZID={event_zone}:20261110T090000\n" if event_zone else "DTSTART:20261110T090000Z\n"
    return f"BEGIN:VCALENDAR\n{head}BEGIN:VEVENT\nUID:1\n{start}END:VEVENT\nEND:VCALENDAR\n"


def put(folder, **files):
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("calendars", "zone"),
    [
        ([calendar(zone="America/Los_Angeles")], "America/Los_Angeles"),
        ([calendar(event_zone="America/Los_Angeles")], "America/Los_Angeles"),
        ([calendar(event_zone="Pacific Standard Time")], "America/Los_Angeles"),
        ([calendar(zone="UTC", event_zone="Europe/Berlin")], "Europe/Berlin"),
        ([calendar(zone="Europe/Berlin"), calendar(zone="Europe/Paris")], ""),
        ([calendar()], ""),
        (["<html>"], ""),
        ([], ""),
    ],
)
def test_the_one_zone_that_calendars_name(tmp_path, calendars, zone):
    put(tmp_path, **{f"c{n}__ics": text for n, text in enumerate(calendars)})
    assert zone_named_in(tmp_path) == zone


@pytest.mark.parametrize(
    ("name", "owner"), [("Sarah Lindholm", "501"), ("Dr. LINDHOLM, Sarah", "501"), ("Team", None), ("", None)]
)
def test_a_calendar_that_bears_a_therapists_name_is_theirs(tmp_path, name, owner):
    put(tmp_path, clinicians__csv="id,name\n501,Sarah Lindholm\n502,Ben Okafor\n", export__ics=calendar(name))
    assert [one.therapist_id for one in detect(tmp_path, zone=ZONE, read_at=NOW).calendars] == [owner]


def test_what_is_left_out_and_why_rows_are_not_understood(tmp_path):
    put(
        tmp_path,
        clients__csv="id,name,Pronouns\n1,Anna Braun,she\n",
        appointments__csv="id,client,start,status\na,1,2026-10-01 09:00,attended\nb,1,2026-10-08 09:00,Rescheduled\n"
        "c,1,2026-10-15 09:00,braun\n",
    )
    found = detect(tmp_path, zone=ZONE, read_at=NOW)
    by_form = {one.form: one for one in found.forms}
    assert by_form["clients"].left == ("Pronouns",)
    assert [reason.partition(",")[2][:6] for reason in by_form["appointments"].reasons] == [" row 3", " row 4"]
    assert (
        "appointments.csv: 2 status words are not known (rescheduled); explain them under status_words."
        in found.questions
    )


def test_many_unknown_words_are_no_vocabulary_and_none_is_shown(tmp_path):
    rows = "".join(f"a{n},1,2026-10-{n + 1:02} 09:00,word{'abcdefghij'[n]}\n" for n in range(9))
    put(tmp_path, appointments__csv=f"id,client,start,status\n{rows}a9,1,2026-10-20 09:00,attended\n")
    questions = detect(tmp_path, zone=ZONE, read_at=NOW).questions
    assert any("9 status words are not known;" in question for question in questions)


def test_a_list_of_names_is_no_list_of_therapists(tmp_path):
    put(tmp_path, people__csv="Full Name,Email\nAnna Braun,a@example.org\n")
    assert detect(tmp_path, zone=ZONE, read_at=NOW).forms == ()
