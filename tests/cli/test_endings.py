"""`end` and `ending`: the question first, the steps as they stand, who may confirm, a letter of one's own, one sentence for all else."""

import os
import pty
import stat
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from integrations import ending
from integrations.practice import open_practice
from integrations.store import lookups
from models.ending_acts import QUESTION, What
from tending.commands.endings import ACTIONS
from tests.cli.clinic import NAMES, ZONE, event
from tests.cli.test_bad_input import finished
from tests.cli.test_bad_input import start as start_process


@pytest.fixture
def confirm(practice):
    """T2 confirms at the desk what was begun at the terminal."""

    def confirm(code):
        at_the_desk(practice, code, What.confirmed, "therapist:T2", personal="no")

    return confirm


def at_the_desk(practice, code, what, by, **said):
    """What the desk takes in of somebody who is signed in there."""
    with open_practice(practice) as here, here.store.write() as connection:
        who = lookups.about(connection, code)
        ending.say(here, connection, who.id, what, by, int(time.time()), **said)


def start(tending, code, reason="wish", *more):
    return tending("end", code, "--reason", reason, "--personal", "no", *more)


def audited(tending, code):
    return [act["act"] for act in tending("audit", "list", "--about", code, "--json", "--last", "100").json]


def test_the_clients_wish_from_the_first_word_to_the_last(codes, tending):
    code = codes["1002"]
    done = start(tending, code)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{code}: an ending, going on; the client's wish.\n")
    assert "Next: Offer three suitable places" in done.out
    assert code in tending("ending").out
    early = tending("ending", code, "done", "referral")
    assert (early.code, "No places were offered to the client yet" in early.err) == (2, True)
    assert tending("ending", code, "could-not", "referral", "--reason", "declined").code == 0
    assert tending("ending", code, "done", "letter").code == 0
    again = tending("ending", code.lower(), "done", "letter")
    assert again.out == f"That was said already; nothing was changed. `tending ending {code}` shows how it stands.\n"
    assert tending("ending", code, "done", "letter", "--json").json["changed"] is False
    closed = tending("ending", code, "close")
    assert (closed.code, "Still open: Records." in closed.err) == (2, True)
    assert tending("ending", code, "done", "records").out.endswith(f"`tending ending {code} close`.\n")
    facts = tending("ending", code, "close", "--json").json
    assert (facts["state"], facts["changed"], facts["next"]) == ("closed", True, None)
    assert "set it there" in tending("ending", code).out
    assert tending("ending").out == "No ending is going on.\n"
    assert tending("ending", "--json").json == []
    assert audited(tending, code)[:5] == ["ending closed", *["ending done"] * 2, "ending could-not", "ending started"]


def test_whoever_closes_is_asked_about_what_still_stands(codes, tending):
    for number, stands in (("1001", True), ("1002", False)):
        code = codes[number]
        assert start(tending, code).code == 0
        for step in ("referral", "letter"):
            assert tending("ending", code, "could-not", step, "--reason", "declined").code == 0
        before = tending("ending", code, "done", "records")
        closed = tending("ending", code, "close")
        assert (before.code, closed.code) == (0, 0)
        assert "although this is closed" not in before.out
        assert ("Three more stand although this is closed, from " in closed.out) == stands
        assert ("keep or call off, as you agree." in closed.out) == stands


def test_the_question_is_asked_and_a_yes_stops_it(codes, tending):
    code = codes["1002"]
    asked = tending("end", code, "--reason", "wish")
    assert (asked.code, asked.out, QUESTION in asked.err) == (2, "", True)
    stopped = tending("end", code, "--reason", "wish", "--personal", "yes")
    assert (stopped.code, stopped.out) == (2, "")
    assert "Care is not ended in order to begin a personal relationship" in stopped.err
    assert "supervisor" in stopped.err
    assert tending("ending", code).out == f"{code}: no ending was started.\n"
    assert audited(tending, code)[0] == "ending stopped"
    assert start(tending, code).code == 0


def test_nobody_confirms_at_a_terminal_and_whoever_is_named_does_at_the_desk(
    codes, tending, practice, confirm, monkeypatch
):
    code = codes["1002"]
    refused = start(tending, code, "poor-fit")
    assert (refused.code, "ending_confirmed_by_peer" in refused.err) == (2, True)
    text = practice.read_text()
    practice.write_text(text.replace("[policy]\n", '[policy]\nending_confirmed_by_peer = "T2"\n'))
    done = start(tending, code, "poor-fit", "--careful")
    assert "It waits for the confirmation of T2." in done.out
    assert "finds rejection hard" in done.out
    assert "T2 confirms it" in tending("ending").out
    assert "Next: T2 confirms it or does not, at the desk (`tending desk`) or by the link of the mail;" in done.out
    monkeypatch.setenv("SUDO_USER", "therapist:T2")  # anybody can say so
    for words in (("confirm", "--personal", "no"), ("confirm",), ("decline",), ("Confirm", "--personal", "yes")):
        own = tending("ending", code, *words)
        assert (own.code, own.out, own.err.count("\n")) == (2, "", 1), words
        assert "T2 confirms it or does not, at the desk (`tending desk`) or by the link of the mail" in own.err, words
    monkeypatch.delenv("SUDO_USER")
    assert tending("ending", code, "--json").json["state"] == "waiting"
    text = practice.read_text()
    practice.write_text(text + '\n[desk]\npublic_url = "https://desk.example.org"\n')
    assert "at the desk (https://desk.example.org)" in tending("ending", code, "confirm").err
    practice.write_text(text)
    early = tending("ending", code, "done", "explain")
    assert (early.code, "waits for the confirmation of T2" in early.err) == (2, True)
    confirm(code)
    assert "Confirmed by T2." in tending("ending", code).out
    facts = tending("ending", code, "--json").json
    assert (facts["state"], facts["next"], facts["appointments_needed"]) == ("going", "explain", 2)
    assert [step["step"] for step in facts["steps"]] == ["explain", "process", "referral", "last", "letter", "records"]


def test_somebody_out_of_contact_is_tried_to_reach(codes, tending, practice, today, confirm):
    code = codes["1002"]
    practice.write_text(
        practice.read_text().replace(
            "[policy]\n",
            '[policy]\nending_confirmed_by_peer = "T2"\nending_attempts = 2\nending_attempt_days = 1\n',
        )
    )
    assert start(tending, code, "contact").code == 0
    confirm(code)
    early = tending("ending", code, "letter")
    assert (early.code, "two different means" in early.err) == (2, True)
    for means, day in (("phone", 20), ("mail", 6)):
        on = str(today - timedelta(days=day))
        done = tending("ending", code, "attempt", "--means", means, "--on", on)
        assert (done.code, "may always come back" in done.out) == (0, True)
    assert "Tried to reach the client" in done.out
    assert done.out.count("it counts once their therapist has approved it, at the desk") == 2
    assert done.out.endswith("2 more wait for the therapist's yes, at the desk.\n")
    waiting = tending("ending", code, "letter")
    assert (waiting.code, "2 more wait for the therapist's yes" in waiting.err) == (2, True)
    for one in tending("ending", code, "--json").json["attempts"]:
        on = int(datetime.fromisoformat(one["on"].replace("Z", "+00:00")).timestamp())
        at_the_desk(practice, code, What.approved, "therapist:T1", means=one["means"], on=on)
    enough = tending("ending", code).out
    assert ("approved" in enough, "Next: enough was tried to reach the client; `tending ending" in enough) == (
        False,
        True,
    )
    assert tending("ending", code, "letter", "--out", "draft.txt").code == 0
    text = Path("draft.txt").read_text(encoding="utf-8")
    assert "I have not been able to reach you (tried on" in text
    assert "You may come back at any time" in text


def test_a_letter_is_a_draft_with_the_name_in_a_file_of_ones_own(codes, tending, practice):
    code = codes["1002"]
    practice.write_text(
        practice.read_text() + '\n[endings]\ncrisis = ["Night line: 0800 111"]\nreferrals = ["Haus am See, 030 1"]\n'
    )
    none = tending("ending", code, "letter")
    assert (none.code, "No ending was started" in none.err) == (2, True)
    assert start(tending, code).code == 0
    done = tending("ending", code, "letter")
    file = f"closing-letter-{code}.txt"
    assert (done.code, file in done.out, "Nothing was sent" in done.out) == (0, True, True)
    assert not any(name in done.out for name in NAMES)
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    text = Path(file).read_text(encoding="utf-8")
    assert "Dear Bengt Ünalsson," in text
    assert "Dr Kärcher" in text
    assert "You wished to end our work together" in text
    assert text.count("[Name, address and telephone]") == 2
    assert "1. Haus am See, 030 1" in text
    assert "Night line: 0800 111" in text
    assert "[Summary" in text
    assert "\n\n\n" not in text
    again = tending("ending", code, "letter")
    assert (again.code, "a file of that name already" in again.err) == (2, True)
    assert tending("ending", code, "letter", "--out", "other.txt", "--json").json == {"code": code, "file": "other.txt"}
    assert {"identity read", "closing letter drafted"} <= set(audited(tending, code))
    assert tending("ending", code, "done", "letter").code == 0


def test_a_form_of_ones_own_is_used_and_a_broken_one_names_no_client(codes, tending, practice, clinic):
    code = codes["1002"]
    practice.write_text(practice.read_text() + '\n[endings]\nforms = "letters"\n')
    (clinic / "letters").mkdir()
    (clinic / "letters" / "closing.txt").write_text("Liebe/r {{ client }}, {{ last }}", encoding="utf-8")
    start(tending, code)
    assert tending("ending", code, "letter", "--out", "a.txt").code == 0
    assert Path("a.txt").read_text(encoding="utf-8").startswith("Liebe/r Bengt Ünalsson, ")
    (clinic / "letters" / "closing.txt").write_text("{{ client }} {{ diagnosis }}", encoding="utf-8")
    broken = tending("ending", code, "letter", "--out", "b.txt")
    assert (broken.code, "closing.txt could not be filled in" in broken.err) == (3, True)
    assert not any(name in broken.err for name in NAMES)
    assert not os.path.exists("b.txt")


WORDS = {
    "no code": (["end", "Müllenbröck", "--reason", "wish", "--personal", "no"], "A client code looks like"),
    "no reason": (["end", "{code}", "--reason", "boredom", "--personal", "no"], "That is no reason; there are goals"),
    "another answer": (["end", "{code}", "--reason", "wish", "--personal", "perhaps"], "The answer is no or yes"),
    "another wish": (
        ["end", "{code}", "--reason", "wish", "--personal", "no", "--by", "therapist"],
        "the wish of: client",
    ),
    "nobody's word": (
        ["end", "{code}", "--reason", "wish", "--personal", "no", "--by", "x"],
        "there are therapist, client.",
    ),
    "a day that was": (
        ["end", "{code}", "--reason", "wish", "--personal", "no", "--until", "2020-01-01"],
        "has passed",
    ),
    "no day": (["end", "{code}", "--reason", "wish", "--personal", "no", "--until", "soon"], "A day is written like"),
    "none there": (["ending", "{code}", "done", "letter"], "No ending was started for this client"),
    "no such word": (["ending", "{code}", "finish"], "there are done, could-not"),
    "a reason too many": (["ending", "{code}", "withdraw", "--reason", "declined"], "--reason does not go with"),
    "an answer too many": (["ending", "{code}", "done", "letter", "--personal", "no"], "--personal does not go with"),
    "a day too many": (["ending", "{code}", "done", "letter", "--on", "2026-01-01"], "--on does not go with"),
    "means too many": (["ending", "{code}", "close", "--means", "phone"], "--means does not go with"),
    "no step": (["ending", "{code}", "done"], "Name the step"),
    "a step too many": (["ending", "{code}", "close", "letter"], "A step does not go with `close`"),
    "a day ahead": (["ending", "{code}", "attempt", "--means", "phone", "--on", "2999-01-01"], "That lies ahead"),
}


def test_what_does_not_fit_is_one_sentence(codes, tending):
    for case, (words, sentence) in WORDS.items():
        done = tending(*(word.format(code=codes["1002"]) for word in words))
        assert (done.code, done.out) == (2, ""), case
        assert sentence in done.err, (case, done.err)
        assert done.err.count("\n") == 1, case
        assert not any(name in done.err for name in NAMES), case
    assert tending("ending", codes["1002"]).out.endswith("no ending was started.\n")


def test_what_does_not_fit_a_running_one_changes_nothing(codes, tending):
    code = codes["1002"]
    start(tending, code)
    before = tending("ending", code, "--json").json
    for words, sentence in (
        (("end", code, "--reason", "goals", "--personal", "no"), "An ending of this client's care is going on"),
        (("ending", code, "done", "party"), "There is no such step"),
        (("ending", code, "could-not", "letter", "--reason", "rain"), "the reasons are declined"),
        (("ending", code, "could-not", "records", "--reason", "unsafe"), "ours alone"),
        (("ending", code, "attempt"), "by one of phone"),
        (("ending", code, "confirm", "--personal", "no"), "waits for no confirmation"),
        (("ending", code, "decline"), "waits for no confirmation"),
        (("ending", code, "done", "process"), "at least 1 appointment after it was started"),
        (("ending", code, "reopen", "letter"), "nothing to take back"),
    ):
        done = tending(*words)
        assert (done.code, done.out, sentence in done.err) == (2, "", True), (words, done.err)
    assert tending("ending", code, "--json").json == before
    withdrawn = tending("ending", code, "withdraw").out
    assert withdrawn.endswith("Care goes on.\n")
    assert "  open" not in withdrawn
    assert "was withdrawn" in tending("ending", code, "close").err


def test_who_is_said_to_have_died_is_dead_everywhere_until_that_is_taken_back(codes, tending):
    code = codes["1002"]

    def contacts():
        said = tending("boundary", code, "--json").json["contact"]
        return [one["standing"] for one in said]

    assert contacts().count("open") == 3
    assert start(tending, code, "death").code == 0
    assert contacts() == ["restricted", "restricted", "over", "open", "over"]
    for words in (("done", "records"), ("close",)):
        assert tending("ending", code, *words).code == 0
    assert contacts().count("open") == 1
    back = tending("ending", code, "withdraw")
    assert back.out.endswith("It is taken back that the client has died; their record may still say so.\n")
    assert contacts().count("open") == 3


def test_every_word_is_explained(tending):
    help = tending("ending", "--help").out
    for word in (*ACTIONS, "letter"):
        assert word in help
    assert "Is beginning a personal relationship" in " ".join(tending("end", "--help").out.split())


@pytest.mark.parametrize("typed", ["no", "yes"])
def test_at_a_terminal_the_question_is_put_to_whoever_begins(codes, tending, practice, typed):
    code = codes["1002"]
    ours, theirs = pty.openpty()
    try:
        process = start_process(practice.parent, "end", code, "--reason", "wish", stdin=theirs)
        os.write(ours, f"{typed}\n".encode())
        status, out, err = finished(process)
    finally:
        os.close(ours)
        os.close(theirs)
    assert QUESTION in out + err
    assert (status, "going on" in out) == ((0, True) if typed == "no" else (2, False))
    assert ("Care is not ended in order to begin" in err) is (typed == "yes")
    assert (tending("ending", code, "--json").json["ending"] is None) is (typed == "yes")


# ---------------------------------------------------------------- appointments


@pytest.fixture
def confirmed(codes, tending, practice, confirm):
    """An ending of 1001, who has three appointments ahead, and one of 1002, who has none; both are going on."""
    text = practice.read_text().replace("[policy]\n", '[policy]\nending_confirmed_by_peer = "T2"\n')
    practice.write_text(text + '\n[mail]\nsender = "tending@example.org"\n')
    for number, more in (("1001", ()), ("1002", ("--careful",))):
        assert start(tending, codes[number], "poor-fit", *more).code == 0
    for number in ("1001", "1002"):
        confirm(codes[number])
    return codes


def test_what_stands_has_its_part_and_is_shown(confirmed, tending):
    shown = tending("ending", confirmed["1001"])
    assert all(f"  {word} " in shown.out for word in ("explains", "gives room", "closes"))
    assert "would be proposed" not in shown.out
    facts = tending("ending", confirmed["1001"], "--json").json
    assert [(one["part"], one["how"]) for one in facts["appointments"]] == [
        ("explain", "stands"),
        ("process", "stands"),
        ("close", "stands"),
    ]
    assert (facts["missing"], facts["appointments_asked_for"]) == ([], "required")
    nothing = tending("ending", confirmed["1001"], "schedule", "--yes")
    assert (nothing.code, "Every part has its appointment" in nothing.err) == (2, True)


def test_what_is_lacking_is_tried_out_and_proposed_by_a_person(confirmed, tending):
    code = confirmed["1002"]
    tried = tending("ending", code, "schedule")
    assert (tried.code, tried.err) == (0, "")
    assert tried.out.count("would be proposed: same weekday") == 4, "who finds rejection hard has more room"
    assert "only a person does it" in tending("ending", code).out
    assert tried.out.endswith("Nothing was kept; `--yes` proposes what is new to the therapist, by mail.\n")
    assert "Nobody is invited" in tending("invite").out
    kept = tending("ending", code, "schedule", "--yes")
    assert kept.code == 0, kept.err
    assert "4 appointments are proposed to T1" in kept.out
    assert kept.out.count("not accepted yet") == 4
    sides = tending("invite", "--json").json
    assert [(side["code"], side["recipient"], side["state"]) for side in sides] == [
        (code, "therapist:T1", "waiting")
    ] * 4
    assert {side["about"].partition(":")[0] for side in sides} == {"ending"}
    assert "proposed to the therapist, not accepted yet" in tending("ending", code).out
    assert audited(tending, code)[0] == "ending proposed"
    again = tending("ending", code, "schedule", "--yes", "--json")
    assert again.code == 2
    off = tending("ending", code, "withdraw")
    assert off.code == 0, off.err
    assert all(side["cancelled"] for side in tending("invite", "--json").json)
    assert not any(name in kept.out + tried.out for name in NAMES)


def test_the_client_is_told_only_at_a_terminal_of_what_the_calendar_shows(confirmed, tending, clinic, monkeypatch):
    code = confirmed["1002"]
    clients = clinic / "exports" / "clients.csv"
    clients.write_text(clients.read_text().replace("0170 124", "bengt@example.net"))
    tending("sync")
    tending("ending", code, "schedule", "--yes")
    unasked = tending("ending", code, "schedule", "--tell-client")
    assert (unasked.code, "approved by a person" in unasked.err) == (2, True)
    early = typed(tending, monkeypatch, "y\n", "ending", code, "schedule", "--tell-client")
    assert (early.code, "once the therapist's calendar shows it" in early.err) == (2, True)
    first = tending("ending", code, "--json").json["appointments"][0]
    begins = datetime.fromisoformat(first["start"].replace("Z", "+00:00")).astimezone(ZoneInfo(ZONE))
    file = clinic / "calendars" / "T1.ics"
    shown = event(first["uid"], begins.replace(tzinfo=None), f"Appointment {code}")
    file.write_bytes(file.read_bytes().replace(b"END:VCALENDAR", shown.encode() + b"END:VCALENDAR"))
    tending("sync")
    facts = tending("ending", code, "--json").json
    assert [one["how"] for one in facts["appointments"]] == ["stands", "proposed", "proposed", "proposed"]
    no = typed(tending, monkeypatch, "n\n", "ending", code, "schedule", "--tell-client")
    assert (no.code, no.out.endswith("Nothing was changed.\n")) == (0, True), no.err
    yes = typed(tending, monkeypatch, "y\n", "ending", code, "schedule", "--tell-client")
    assert "1 of 1 will be sent" in yes.out, yes.err
    assert "Your yes here says, under your name, that T1 has approved exactly this." in yes.out
    assert "Has T1 approved exactly this, and is it to be sent?" in yes.out
    (kept,) = (a for a in tending("audit", "list", "--json").json if a["act"] == "client invited")
    assert kept["details"] == {"ending": True, "as_approved_by": "T1", "start": int(begins.timestamp())}
    assert "To the client (bengt@example.net), REQUEST:" in yes.out, "whose address it is, is part of what is approved"
    assert [side["uid"] for side in tending("invite", "--json").json if side["recipient"] == f"client:{code}"] == [
        first["uid"]
    ]
    assert audited(tending, code)[:2] == ["client invited", "contact read"]


def typed(tending, monkeypatch, said, *words):
    """A person types at a terminal."""
    mine, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal:
        os.write(mine, said.encode())
        monkeypatch.setattr("sys.stdin", terminal)
        done = tending(*words)
    os.close(mine)
    return done


def test_without_an_ending_or_before_it_is_confirmed_there_is_no_schedule(codes, tending, practice):
    code = codes["1002"]
    assert "No ending was started" in tending("ending", code, "schedule").err
    assert "No ending was started" in tending("ending", code, "schedule", "--yes").err
    practice.write_text(practice.read_text().replace("[policy]\n", '[policy]\nending_confirmed_by_peer = "T2"\n'))
    start(tending, code, "poor-fit")
    assert "waits for the confirmation" in tending("ending", code, "schedule", "--yes").err
    assert "go with `tending ending CLIENT schedule`" in tending("ending", code, "withdraw", "--yes").err
    both = tending("ending", code, "schedule", "--yes", "--tell-client")
    assert (both.code, "First the therapist" in both.err) == (2, True)
