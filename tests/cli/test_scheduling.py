"""`slots` and `invite`: free times are read, an appointment is tried out before it is put into anybody's calendar."""

import os
import pty
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy

from tests.cli.clinic import NAMES, ZONE, at, calendar, event


@pytest.fixture(autouse=True)
def mail(read):
    """The practice has a mail server, to which nothing is given here."""
    with read.open("a") as toml:
        toml.write('\n[mail]\nsender = "tending@example.org"\n')


def ahead(today, days, hour=10):
    """A workday at least so many days ahead, at that hour."""
    day = today + timedelta(days=days)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return datetime.combine(day, time(hour))


def wall(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(ZoneInfo(ZONE)).replace(tzinfo=None)


def test_slots_are_free_and_change_nothing(codes, tending, today):
    before = tending("audit", "--json").out
    done = tending("slots", "t1", "--count", "40", "--json")
    assert (done.code, done.err) == (0, "")
    found = [(wall(s["start"]), wall(s["end"])) for s in done.json["slots"]]
    assert len(found) == 40
    busy = [ahead_of(today, days) for days in (7, 14, 21)] + [
        datetime.combine(today, time()) + timedelta(days=1, hours=15)
    ]
    for start, end in found:
        assert (end - start) == timedelta(minutes=50)
        assert start.weekday() < 5
        assert start.hour >= 8
        assert (end.hour, end.minute) <= (18, 0)
        for taken in busy:
            assert end <= taken - timedelta(minutes=10) or start >= taken + timedelta(minutes=60)
    assert tending("audit", "--json").out == before


def test_a_vacation_in_the_calendar_is_taken_and_concerns_nobody(clinic, codes, tending, today):
    monday = ahead(today, 20)
    monday += timedelta(days=-monday.weekday() % 7)
    back = monday + timedelta(days=14)
    unmatched = tending("unmatched", "--json").out
    before = tending("status", "--json").json["unmatched"]
    kept = (clinic / "calendars" / "T1.ics").read_bytes()
    for line, first in (("", back), ("TRANSP:TRANSPARENT\r\n", monday), ("STATUS:CANCELLED\r\n", monday)):
        vacation = (
            f"BEGIN:VEVENT\r\nUID:vacation\r\nDTSTART;VALUE=DATE:{monday:%Y%m%d}\r\nDTEND;VALUE=DATE:{back:%Y%m%d}\r\n"
            f"SUMMARY:Urlaub mit Müllenbröck\r\n{line}END:VEVENT\r\n"
        )
        text = kept.decode().replace("END:VCALENDAR", vacation + "END:VCALENDAR")
        (clinic / "calendars" / "T1.ics").write_bytes(text.encode())
        assert tending("sync").code == 0
        done = tending("slots", "T1", "--from", f"{monday:%Y-%m-%d}", "--count", "1", "--json").json
        assert wall(done["slots"][0]["start"]).date() == first.date(), line
        tried = tending("invite", codes["1002"], "T1", f"{monday + timedelta(days=1):%Y-%m-%d}T11:00")
        assert ("Mind:" in tried.out) is (not line), tried.out
        assert tending("unmatched", "--json").out == unmatched
        assert tending("status", "--json").json["unmatched"] == before


def ahead_of(today, days):
    return datetime.combine(today, time()) + timedelta(days=days, hours=10)


def test_slots_fit_a_client(codes, tending, today):
    done = tending("slots", "T2", "--client", codes["1005"], "--count", "3", "--json")
    assert done.code == 0, done.err
    said = done.json
    assert said["rhythm_days"] == 7
    assert said["usual"].endswith("at 10:00")
    plain = tending("slots", "T2", "--client", codes["1005"].lower(), "--count", "3", "--minutes", "30")
    assert "comes about every 7 days, usually" in plain.out
    assert not any(name in plain.out for name in NAMES)


def test_an_appointment_is_tried_out_kept_moved_and_called_off(codes, tending, today):
    code, when = codes["1002"], ahead(today, 30)
    tried = tending("invite", code, "T1", f"{when:%Y-%m-%dT%H:%M}")
    assert (tried.code, tried.err) == (0, "")
    for words in (
        "To T1 (kaercher@example.org), REQUEST:",
        "mailto:kaercher@example.org",
        "METHOD:REQUEST",
        f"SUMMARY:Appointment {code}",
        "CLASS:PRIVATE",
        "Nothing was kept",
    ):
        assert words in tried.out.replace("\n   ", "")
    assert not any(name in tried.out for name in NAMES)
    assert tending("invite").out == "Nobody is invited to anything that lies ahead.\n"
    kept = tending("invite", code, "T1", f"{when:%Y-%m-%d %H:%M}", "--yes", "--json").json
    assert f"UID:{kept['uid']}" in tried.out.replace("\n   ", ""), "what is tried out is what is kept"
    assert (kept["done"], kept["method"], wall(kept["start"])) == (True, "REQUEST", when)
    (side,) = tending("invite", "--json").json
    assert (side["uid"], side["state"], side["sequence"]) == (kept["uid"], "waiting", None)
    assert "waits to be sent" in tending("invite").out
    assert "1 message" not in tending("status").out
    # What is in the invitation is busy from now on.
    taken = [
        wall(s["start"])
        for s in tending("slots", "T1", "--from", f"{when:%Y-%m-%d}", "--count", "3", "--json").json["slots"]
    ]
    assert when not in taken
    later = when + timedelta(hours=2)
    moved = tending("invite", code, "T1", f"{later:%Y-%m-%dT%H:%M}", "--move", kept["uid"], "--yes")
    assert moved.code == 0, moved.err
    assert wall(tending("invite", "--json").json[0]["start"]) == later
    # Never sent, so nobody is told that it is off.
    off = tending("invite", "--cancel", kept["uid"], "--yes")
    assert (off.code, "Nothing would be sent" in off.out) == (0, True)
    assert tending("invite", "--json").json[0]["cancelled"] is True
    again = tending("invite", code, "T1", f"{when:%Y-%m-%d %H:%M}", "--json").json
    assert again["uid"] != kept["uid"], "one UID for each appointment"
    acts = [act["act"] for act in tending("audit", "--json").json if act["subject"] == code][:3]
    assert acts == ["appointment called off", "invited", "invited"]


def test_a_message_to_a_client_needs_a_person_and_an_address(codes, tending, today, clinic):
    code, when = codes["1002"], f"{ahead(today, 30):%Y-%m-%dT%H:%M}"
    assert "holds no mail address" in tending("invite", code, "T1", when, "--to-client").err
    clients = clinic / "exports" / "clients.csv"
    clients.write_text(clients.read_text().replace("0170 124", "bengt@example.net"))
    assert tending("sync").code == 0
    tried = tending("invite", code, "T1", when, "--to-client")
    assert tried.code == 0, tried.err
    assert "To the client (bengt@example.net), REQUEST:" in tried.out
    assert "mailto:bengt@example.net" in tried.out.replace("\n   ", "")
    assert tending("audit", "--json").json[0]["act"] == "contact read"
    assert code not in tried.out.partition("METHOD")[2]
    refused = tending("invite", code, "T1", when, "--to-client", "--yes")
    assert (refused.code, "approved by a person" in refused.err) == (2, True)
    assert "Nobody is invited" in tending("invite").out


@pytest.mark.parametrize(("said", "kept"), [("y\n", True), ("n\n", False)])
def test_at_a_terminal_the_person_is_asked(codes, tending, today, clinic, monkeypatch, said, kept):
    code, when = codes["1002"], f"{ahead(today, 30):%Y-%m-%dT%H:%M}"
    clients = clinic / "exports" / "clients.csv"
    clients.write_text(clients.read_text().replace("0170 124", "bengt@example.net"))
    tending("sync")
    uid = tending("invite", code, "T1", when, "--yes", "--json").json["uid"]
    mine, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal:
        os.write(mine, said.encode())
        monkeypatch.setattr("sys.stdin", terminal)
        done = tending("invite", code, "T1", when, "--to-client", "--yes")
    os.close(mine)
    assert f"UID:{uid}" in done.out, "what is shown is what is sent"
    sides = tending("invite", "--json").json
    assert (done.code, len(sides)) == ((0, 2) if kept else (1, 1))
    assert {side["uid"] for side in sides} == {uid}, "one appointment, one UID"
    acts = [act["act"] for act in tending("audit", "--json").json]
    assert ("invited, approved" in acts) == kept
    assert "contact read" in acts


def test_whom_nothing_may_be_sent_to_is_refused(codes, tending, today, tables):
    when = f"{ahead(today, 30):%Y-%m-%dT%H:%M}"
    with tables.begin() as connection:
        connection.execute(
            sqlalchemy.text("UPDATE digest SET died = 1 WHERE client_id = (SELECT id FROM client WHERE code = :code)"),
            {"code": codes["1002"]},
        )
    done = tending("invite", codes["1002"], "T1", when, "--yes")
    assert (done.code, "the client has died" in done.err) == (2, True)
    assert "Nobody is invited" in tending("invite").out


def test_a_calendar_that_was_not_told_for_a_day_is_shown(codes, tending, today, tables):
    when = f"{ahead(today, 30):%Y-%m-%dT%H:%M}"
    tending("invite", codes["1004"], "T2", when, "--yes")
    assert tending("status", "--json").json["invitations_late"] == 0
    with tables.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE invitation SET wanted_since = wanted_since - 86400"))
    assert "1 calendar does not hold for a day what they should" in tending("status").out


def test_without_a_mail_server_it_says_so(codes, tending, today, read):
    read.write_text(read.read_text().partition("\n[mail]\n")[0])
    done = tending("invite", codes["1002"], "T1", f"{ahead(today, 30):%Y-%m-%dT%H:%M}")
    assert "Nothing would be sent: practice.toml has no [mail]." in done.out


WORDS = {
    "no such therapist": (["slots", "T9"], "No therapist has that id"),
    "no such client": (["slots", "T1", "--client", "C-0000000"], "No client has the code"),
    "a name": (["slots", "T1", "--client", "Müllenbröck"], "A client code looks like"),
    "a day that was": (["slots", "T1", "--from", "2020-01-01"], "That day has passed"),
    "no day": (["slots", "T1", "--from", "soon"], "A day is written like"),
    "too many": (["slots", "T1", "--count", "51"], "Between 1 and 50"),
    "none": (["slots", "T1", "--count", "0"], "Between 1 and 50"),
    "too short": (["slots", "T1", "--minutes", "4"], "between 5 and 480"),
    "no length": (["slots", "T1", "--minutes", "0"], "between 5 and 480"),
    "an invitation of no length": (["invite", "{code}", "T1", "{soon}", "--minutes", "0"], "between 5 and 480"),
    "a day at the end of time": (["slots", "T1", "--from", "9999-12-31"], "Nobody means a day in that year"),
    "a day long after": (["slots", "T1", "--from", "2199-12-31"], "more than two years ahead"),
    "a start at the end of time": (["invite", "{code}", "T1", "9999-12-31T23:30"], "more than two years ahead"),
    "too little said": (["invite", "{code}", "T1"], "Say about whom, with whom and when"),
    "no time": (["invite", "{code}", "T1", "2099-01-01"], "A start is written like"),
    "no start": (["invite", "{code}", "T1", "soon"], "A start is written like"),
    "an offset": (["invite", "{code}", "T1", "2099-01-01T10:00+01:00"], "A start is written like"),
    "a time that was": (["invite", "{code}", "T1", "2020-01-01T10:00"], "That start has passed"),
    "a time that is skipped": (["invite", "{code}", "T1", "2099-03-29T02:30"], "does not exist in Europe/Berlin"),
    "no such UID": (["invite", "--cancel", "abc"], "There is no invitation with that UID"),
    "another's UID": (
        ["invite", "{code}", "T1", "{soon}", "--move", "abc"],
        "There is no appointment of that client",
    ),
    "a UID and more": (["invite", "{code}", "T1", "2099-01-05T10:00", "--cancel", "abc"], "give its UID alone"),
}


@pytest.mark.parametrize("case", WORDS)
def test_what_does_not_fit_is_one_sentence(codes, tending, today, case):
    words, sentence = WORDS[case]
    soon = f"{ahead(today, 30):%Y-%m-%dT%H:%M}"
    done = tending(*(word.format(code=codes["1002"], soon=soon) for word in words))
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err, done.err
    assert done.err.count("\n") == 1
    assert not any(name in done.err for name in NAMES)


@pytest.mark.parametrize("to", [[], ["--to-client"]])
def test_an_appointment_is_not_moved_to_another_therapist(codes, tending, today, clinic, to):
    """They would both have the same one in their calendars, and the first would never hear that it is off."""
    clients = clinic / "exports" / "clients.csv"
    clients.write_text(clients.read_text().replace("0170 124", "bengt@example.net"))
    tending("sync")
    code, when = codes["1002"], f"{ahead(today, 30):%Y-%m-%dT%H:%M}"
    uid = tending("invite", code, "T1", when, "--yes", "--json").json["uid"]
    done = tending("invite", code, "T2", when, "--move", uid, "--yes", *to)
    assert (done.code, "another therapist's" in done.err) == (2, True)
    assert [side["recipient"] for side in tending("invite", "--json").json] == ["therapist:T1"]


def test_no_time_is_looked_for_for_who_has_died(codes, tending, tables):
    with tables.begin() as connection:
        connection.execute(
            sqlalchemy.text("UPDATE digest SET died = 1 WHERE client_id = (SELECT id FROM client WHERE code = :code)"),
            {"code": codes["1002"]},
        )
    done = tending("slots", "T1", "--client", codes["1002"])
    assert (done.code, done.out, "The client has died" in done.err) == (2, "", True)


def test_a_time_that_is_taken_is_said(codes, tending, today, clinic):
    start = ahead(today, 40)
    entries = [event("block", start, "Supervision")]
    (clinic / "calendars" / "T1.ics").write_bytes(
        calendar([*entries, event("next", at(today, -7), "Anna-Sofía Müllenbröck")])
    )
    tending("sync")
    done = tending("invite", codes["1002"], "T1", f"{start:%Y-%m-%dT%H:%M}")
    assert "has something entered" in done.out
    free = tending("invite", codes["1002"], "T1", f"{start + timedelta(hours=2):%Y-%m-%dT%H:%M}")
    assert "has something entered" not in free.out


def test_who_is_not_the_therapist_is_minded_and_not_refused(codes, tending, today):
    when = f"{ahead(today, 30):%Y-%m-%dT%H:%M}"
    own = tending("invite", codes["1002"], "T1", when)
    assert "Mind: T1" not in own.out
    other = tending("invite", codes["1002"], "T2", when)
    assert other.code == 0
    assert (
        f"Mind: T2 is not the therapist of {codes['1002']} (that is T1), and covers for nobody of theirs." in other.out
    )
    assert tending("invite", codes["1002"], "T2", when, "--json").json["not_theirs"]


def test_without_a_calendar_it_is_said_what_free_means(codes, tending, read):
    said = "No calendar of {} is read; free means that the records show nothing."
    assert said.format("T1") not in tending("slots", "T1").out
    text = read.read_text()
    before, rest = text.split('therapist = "T1"', 1)
    read.write_text(f'{before}therapist = "T9"{rest}')
    done = tending("slots", "T1")
    assert (done.code, done.out.startswith(said.format("T1"))) == (0, True), done.err
    assert tending("slots", "T1", "--json").json["calendar_read"] is False
