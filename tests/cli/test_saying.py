"""`answer` and `users`: what is said at the terminal counts as on the desk, and who may use it."""

import re

from tests.cli.clinic import NAMES, at, calendar, event


def test_an_answer_is_given_shown_and_taken_back(codes, tending):
    code = codes["1002"]
    done = tending(
        "answer",
        code.lower(),
        "quiet",
        "snooze",
        "--until",
        _ahead(),
        "--reason",
        "waiting",
        "--note",
        "Ünalsson ruft an",
    )
    assert (done.code, done.err) == (0, "")
    assert re.match(rf"{code}, Quiet: Ask me again on .*: waiting for the client's answer\.", done.out)
    answer_id = re.search(r"--undo (\w+)`", done.out).group(1)
    assert "Ünalsson" not in done.out
    assert tending("answer", "--undo", answer_id).out == f"{code}: the answer is taken back.\n"
    again = tending("answer", "--undo", answer_id)
    assert (again.code, "taken back already" in again.err) == (2, True)
    acts = [act["act"] for act in tending("audit", "--json").json[:2]]
    assert acts == ["answer taken back", "answered"]
    given = tending("answer", code, "quiet", "no-concern", "--reason", "planned", "--json").json
    assert (given["code"], given["reply"], given["until"]) == (code, "no-concern", None)
    assert "no-concern" in tending("audit").out


def test_a_notice_is_answered_by_its_number(clinic, codes, today, tending):
    """The number that `findings` and `outbox` show means what client and kind together do, and nothing newer than it told of."""
    dentist = event("dentist", at(today, -1, 15), "Zahnarzt Königsallee")
    (clinic / "calendars" / "T1.ics").write_bytes(calendar([dentist]))
    assert tending("sync").code == 0
    (asks,) = [f for f in tending("findings", "--json").json if f["code"] == codes["1001"]]
    number = asks["notice"]
    assert f"(notice {number})" in tending("findings").out
    done = tending("answer", f"#{number}", "snooze", "--until", _ahead(), "--reason", "waiting")
    assert (done.code, done.out.startswith(f"{codes['1001']}, Quiet: Ask me again on ")) == (0, True), done.err
    given = tending("answer", str(number), "done", "--json").json
    assert (given["code"], given["kind"], given["reply"]) == (codes["1001"], "quiet", "done")
    booked = [dentist, event("next", at(today, -7), "Anna-Sofía Müllenbröck")]
    (clinic / "calendars" / "T1.ics").write_bytes(calendar(booked))
    assert tending("sync").code == 0
    late = tending("answer", str(number), "done")
    assert (late.code, late.out) == (2, "")
    assert "has cleared, or has come back as something new" in late.err


def test_what_shows_no_number_shows_how_it_is_answered(codes, tending):
    """A weekly list is one notice about several clients, and of the first day nobody was told."""
    shown = tending("findings", "--day-one").out
    assert "(notice" not in shown
    assert "Did these take place?" in shown
    (hint,) = [line for line in shown.splitlines() if line.startswith("What shows no number")]
    assert "unconfirmed" in hint
    words = re.search(r"`tending (answer [^`]+)`", hint)[1].split()
    assert tending(*words).code == 0


def test_an_agreed_contact_settles_it(codes, tending):
    code = codes["1002"]
    assert tending("answer", code, "quiet", "agreed", "--until", _ahead()).code == 0
    assert "Quiet: no." in tending("why", code).out
    assert code not in {f["code"] for f in tending("findings", "--day-one", "--json").json if f["kind"] == "quiet"}


def test_what_was_answered_no_longer_stands_among_what_asks(clinic, codes, today, tending):
    code, other = codes["1002"], codes["1003"]
    before = tending("findings", "--day-one").out
    assert "Answered" not in before
    assert tending("answer", code, "quiet", "done").code == 0
    asks, _, answered = tending("findings", "--day-one").out.partition("Answered, and still so:")
    assert (code in asks, other in asks) == (False, True)
    (line,) = [line for line in answered.splitlines() if code in line]
    assert re.search(
        r"Nothing booked\. Answered \w{3} \d+ \w{3}: I have seen to it\. If nothing changes, it is asked again on .*, in 14 days\.$",
        line,
    )
    rows = tending("findings", "--day-one", "--json").json
    assert [(f["code"], f["kind"], f["answer"]) for f in rows if f["answered"]] == [
        (code, "quiet", "I have seen to it.")
    ]
    assert tending("status", "--json").json["day_one"] == len(rows) - 1


def _ahead():
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from tests.cli.clinic import ZONE

    return str(datetime.now(ZoneInfo(ZONE)).date() + timedelta(days=9))


WORDS = {
    "nothing": ([], "Say to what, and what"),
    "a client and no kind": (["{code}", "done"], "Say to what, and what"),
    "a notice and a kind": (["1", "quiet", "done"], "Say to what, and what"),
    "no such notice": (["99999", "done"], "No notice of that number asks for an answer"),
    "no code": (["Müllenbröck", "quiet", "done"], "A client code looks like"),
    "no such kind": (["{code}", "calm", "done"], "There is no such kind of finding; there are"),
    "no such answer": (["{code}", "quiet", "dismiss"], "That is no answer; there are done, agreed"),
    "no day": (["{code}", "quiet", "agreed", "--until", "soon"], "A day is written like"),
    "a day that does not exist": (
        ["{code}", "quiet", "agreed", "--until", "2026-11-31"],
        "There is no such day in the calendar",
    ),
    "a day of another age": (["{code}", "quiet", "agreed", "--until", "0202-11-03"], "name one from 1900 to 2199"),
    "today": (["{code}", "quiet", "snooze", "--until", "{today}", "--reason", "later"], "name tomorrow or a later day"),
    "days in words": (["{code}", "quiet", "agreed", "--days", "abc"], "--days takes a whole number. See `tending"),
    "a day that was": (["{code}", "quiet", "agreed", "--until", "2020-01-01"], "That day has passed"),
    "no reason": (["{code}", "quiet", "no-concern"], "Say why with `--reason`: planned"),
    "nothing open": (["{code}", "missed", "done"], "There is nothing open of that kind"),
    "an id and more": (["{code}", "--undo", "abc"], "give its id alone"),
    "an id of nothing": (["--undo", "abc"], "There is no such answer"),
    "too long": (["{code}", "quiet", "done", "--note", "x" * 201], "at most 200"),
}


def test_what_does_not_fit_is_one_sentence(codes, today, tending):
    for case, (words, sentence) in WORDS.items():
        done = tending("answer", *(word.format(code=codes["1002"], today=today) for word in words))
        assert (done.code, done.out) == (2, ""), case
        assert sentence in done.err, (case, done.err)
        assert done.err.count("\n") == 1, case
        assert not any(name in done.err for name in NAMES), case


def test_users_are_added_listed_given_a_link_and_disabled(read, tending):
    assert "Nobody may use the desk yet" in tending("users").out
    added = tending("users", "add", "therapist", "kaercher@example.org", "--name", "Dr Kärcher", "--therapist", "t1")
    assert (added.code, "Account 1 may use the desk" in added.out) == (0, True)
    assert tending("users", "add", "technical", "office@example.org").code == 0
    listed = tending("users", "list", "--json").json
    assert [(u["role"], u["therapist_id"], u["address"], u["name"]) for u in listed] == [
        ("therapist", "T1", "kaercher@example.org", "Dr Kärcher"),
        ("technical", "", "office@example.org", ""),
    ]
    link = tending("users", "link", "1")
    assert re.fullmatch(r"http://127\.0\.0\.1:4280/in/[\w-]{43}\n", link.out)
    assert "`tending up` serves no desk" in link.err
    assert tending("users", "link", "1", "--json").json["minutes"] == 15
    assert tending("users", "disable", "1").code == 0
    assert "(disabled)" in tending("users").out
    for words in (["link", "1"], ["disable", "1"], ["link", "77"]):
        assert tending("users", *words).code == 2
    assert tending("users", "add", "therapist", "Kaercher@Example.org", "--therapist", "T1").code == 0
    assert tending("users", "list", "--json").json[0]["disabled_at"] is None


def test_users_that_do_not_fit(read, tending):
    assert tending("users", "add", "technical", "office@example.org").code == 0
    wrong = (
        (["technical", "office@example.org"], "has an account already"),
        (["technical", "nobody"], "A mail address looks like"),
        (["technical", "a b@example.org"], "A mail address looks like"),
        (["therapist", "a@example.org"], "--therapist and the clinic's id"),
        (["therapist", "a@example.org", "--therapist", "T9"], "No therapist has that id"),
        (["front_office", "a@example.org", "--therapist", "T1"], "leave --therapist away"),
        (["boss", "a@example.org"], "There is no such role; there are therapist, supervisor, front_office, technical."),
        (["Front-Office", "a@example.org", "--therapist", "T1"], "leave --therapist away"),
    )
    for words, sentence in wrong:
        done = tending("users", "add", *words)
        assert (done.code, sentence in done.err) == (2, True), (words, done.err)


def test_the_desks_settings(practice, tending):
    text = practice.read_text()
    for url, sentence in (
        ("http://desk.example.org", "has to begin with https://"),
        ("desk.example.org", "an address without a path"),
        ("https://example.org/desk", "an address without a path"),
        ("https://user:pw@desk.example.org", "an address without a name, a password or a #"),
    ):
        practice.write_text(f'{text}\n[desk]\npublic_url = "{url}"\n')
        done = tending("status")
        assert (done.code, sentence in done.err) == (3, True), url
    practice.write_text(f'{text}\n[desk]\npublic_url = "http://localhost:4280/"\n')
    assert tending("status").code == 0
    assert "Nobody may sign in to the desk yet" in tending("check", "--offline").out
    assert tending("users", "add", "technical", "office@example.org").code == 0
    assert "1 account may sign in at http://localhost:4280." in tending("check", "--offline").out
    practice.write_text(f"{text}\n[desk]\n")
    assert "[desk] has no public_url" in tending("check", "--offline").out


def test_a_second_factor_is_printed_once_and_never_again(read, tending):
    number = tending("users", "add", "technical", "tina@example.org", "--json").json["id"]
    address = tending("users", "totp", str(number), "--json").json["otpauth"]
    secret = address.partition("secret=")[2].partition("&")[0]
    assert len(secret) == 32
    (listed,) = [one for one in tending("users", "list", "--json").json if one["id"] == number]
    assert listed["second_factor"] is True
    for words in (("users",), ("users", "list", "--json"), ("audit", "--json")):
        assert secret not in tending(*words).out
    assert tending("users", "totp", str(number), "--off").code == 0
    assert tending("users", "totp", "99").code == 2
