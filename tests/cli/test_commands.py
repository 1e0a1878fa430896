"""Every command as an administrator uses it: what it prints, what it changes, and its exit code."""

import json
import re
import stat
from datetime import timedelta

import pytest
from sqlalchemy import text

from models.kinds import all_kinds
from tests.cli.clinic import NAMES, ZONE, at, calendar, event

FIRST_DAY = {
    "1002": "Quiet",
    "1003": "Missed",
    "1004": "Not started",
    "1005": "Did these take place?",
    "1006": "Not started",
}


def test_what_was_already_so_is_a_list_to_sort_and_no_news(codes, tending):
    done = tending("findings", "--day-one")
    assert done.code == 0
    for clinic_id, label in FIRST_DAY.items():
        assert any(codes[clinic_id] in line and label in line for line in done.out.splitlines()), done.out
    assert codes["1001"] not in done.out
    news = tending("findings")
    assert news.out.startswith("Nothing new asks for anybody. Sources were read a moment ago.")
    assert "`tending findings --day-one`" in news.out
    assert tending("findings", "--json").json == []
    everything = tending("findings", "--all", "--json").json
    assert {f["code"] for f in everything} == {codes[n] for n in FIRST_DAY}
    assert all(f["sentence"] and f["clears"] and f["opened"] == "day_one" for f in everything)
    mine = tending("findings", "--day-one", "--therapist", "t2", "--json").json
    assert {f["therapist"] for f in mine} == {"T2"}


def test_a_cancellation_becomes_news_with_its_reason_and_a_notice_that_waits(clinic, codes, today, tending):
    assert "Quiet: no. Next appointment is booked for" in tending("why", codes["1001"]).out
    gone = [event("dentist", at(today, -1, 15), "Zahnarzt Königsallee")]
    (clinic / "calendars" / "T1.ics").write_bytes(calendar(gone))
    done = tending("sync")
    assert (done.code, done.err) == (0, "")
    assert "3 gone" in done.out
    assert "1 client looked at, 1 new finding (`tending findings`), 1 notice waiting." in done.out
    news = tending("findings")
    assert news.out.splitlines()[:2] == [
        "T1",
        f"  {codes['1001']}  Quiet  Last seen {_said(today, 21)}, 21 days ago; usually every 7 days. Nothing booked. (notice 1)",
    ]
    why = tending("why", codes["1001"])
    assert "Quiet: yes. Last seen" in why.out
    assert "quiet_after_days = 14 days (default; basis: our choice)" in why.out
    assert "Quiet  to T1  " in why.out
    assert tending("status", "--json").json["waiting"][0]["notices"] == 1


def _said(today, days_ago):
    day = today - timedelta(days=days_ago)
    return f"{day:%a} {day.day} {day:%b}"


def test_why_says_for_every_rule_what_it_saw_and_what_became_of_its_notices(codes, tables, today, tending):
    done = tending("why", codes["1003"].lower().removeprefix("c-"))
    assert done.code == 0
    assert "Missed: yes. Two appointments missed in a row" in done.out
    assert "Clears when an appointment is attended." in done.out
    assert "missed_in_a_row = 2 appointments (default; basis: Xiao" in done.out
    assert done.out.count("  attended\n") >= 5
    assert "none so far" in done.out
    with tables.begin() as connection:
        number = connection.execute(text("SELECT id FROM client WHERE code = :code"), {"code": codes["1003"]}).scalar()
        connection.execute(
            text(
                "INSERT INTO notice (subject, client_id, purpose, generation, step, recipient, audience, urgency, level, requires, facts,"
                " made_at, not_before, expires_at, state, tries, outcome, decided_at) VALUES ('x', :n, 'stalled.missed', 1, 0,"
                " 'therapist:T1', 'therapist', 'prompt', 2, '{}', '{}', 1, 1, 9, 'cancelled', 0, 'the finding has cleared', 5)"
            ),
            {"n": number},
        )
    said = tending("why", codes["1003"])
    assert "to T1" in said.out
    assert ": the finding has cleared" in said.out
    assert f"  Missed  already so at first sight {_said(today, 0)}, today, still so\n" in said.out
    assert (
        tending(
            "answer", codes["1003"], "missed", "snooze", "--until", str(today + timedelta(days=7)), "--reason", "away"
        ).code
        == 0
    )
    said = tending("why", codes["1003"])
    assert ", today, still so, answered. If nothing changes, it is asked again on " in said.out
    assert f"  Missed  Ask me again on {_said(today, -7)}, in 7 days: the client or I are away." in said.out
    facts = tending("why", codes["1003"], "--json").json
    assert {one["kind"] for one in facts["rules"]} == set(all_kinds())
    assert facts["notices"][0]["outcome"] == "the finding has cleared"
    assert any(not e["allowed"] and e["audience"] == "client" for e in facts["eligible"])


def test_why_at_a_past_day_knows_only_what_was_known_then(codes, tables, today, tending):
    yesterday = str(today - timedelta(days=1))
    done = tending("why", codes["1002"], "--at", yesterday)
    assert (done.code, "nothing was known of this client yet. First read" in done.out) == (0, True)
    with tables.begin() as connection:  # as if all had been told ten days ago
        for name in ("observation.known_at", "subject.since", "source.read_at", "source.first_read_at"):
            table, column = name.split(".")
            connection.execute(text(f"UPDATE {table} SET {column} = {column} - 864000"))
        since = "CAST(CAST(value AS BIGINT) - 864000 AS TEXT)"
        connection.execute(text(f"UPDATE fact SET value = {since} WHERE name LIKE 'tells %'"))
    then = tending("why", codes["1002"], "--at", str(today - timedelta(days=10)))
    assert "from what was known then" in then.out
    assert "Quiet: yes." in then.out
    assert "25 days ago" in then.out
    assert "Not as it was then\n  Nothing had been looked at yet" in then.out
    assert "Not as it was then" not in tending("why", codes["1002"]).out


def test_why_at_a_past_moment_tells_what_stood_and_was_sent_by_then(codes, tables, today, tending):
    with (
        tables.begin() as connection
    ):  # as if all had been told and looked at ten days ago; what was sent was so just now
        moved = "observation.known_at subject.since source.read_at source.first_read_at finding_history.at policy_version.from_at"
        for name in (*moved.split(), "notice.made_at"):
            table, column = name.split(".")
            connection.execute(text(f"UPDATE {table} SET {column} = {column} - 864000"))
        connection.execute(text("UPDATE finding SET generation = 7"))
    then = tending("why", codes["1002"], "--at", str(today - timedelta(days=9)), "--json").json
    (quiet,) = (f for f in then["findings"] if f["kind"] == "quiet")
    assert (quiet["generation"], quiet["cleared_at"]) == (1, None)
    assert quiet["opened_at"] < str(today - timedelta(days=9))
    assert {n["outcome"] for n in then["notices"]} <= {""}


def test_a_waiting_list_without_an_end_explains_itself(clinic, practice, codes, today, tending):
    since = today - timedelta(days=56)
    (clinic / "exports" / "holds.csv").write_text(f"id,client,from,to\nH2,1001,{since},\n", encoding="utf-8")
    written = practice.read_text().replace("files = { ", 'files = { "holds" = "exports/holds.csv", ')
    practice.write_text(written, encoding="utf-8")
    assert tending("sync").code == 0
    said = tending("why", codes["1001"])
    assert (said.code, said.err) == (0, "")
    (span,) = tending("why", codes["1001"], "--json").json["not_counted"]
    assert (span["from"][:4], span["until"]) == (str(since - timedelta(days=1))[:4], None)


def test_what_was_answered_is_counted_apart_and_says_when_it_is_asked_again(codes, today, tending):
    before = tending("status", "--json").json
    done = tending("answer", codes["1002"], "quiet", "done")
    assert "I have seen to it. If nothing changes, it is asked again on " in done.out
    assert re.search(
        r"still so, answered\. If nothing changes, it is asked again on ", tending("why", codes["1002"]).out
    )
    after = tending("status", "--json").json
    assert (after["day_one"], after["answered"]) == (before["day_one"] - 1, before["answered"] + 1)
    assert "1 and still so: `tending findings`" in tending("status").out
    (again,) = [f["asked_again_at"] for f in tending("why", codes["1002"], "--json").json["findings"] if f["answered"]]
    assert again is not None
    day = str(today + timedelta(days=9))
    put_off = tending("answer", codes["1003"], "missed", "snooze", "--until", day, "--reason", "later").out
    assert put_off.count("sk me again") == 1
    assert "If nothing changes" not in put_off


def test_an_agreed_rhythm_is_an_answer_and_not_in_practice_toml(codes, tending):
    assert tending("answer", codes["1002"], "quiet", "agreed", "--days", "60").code == 0
    lines = {line["name"]: line for line in tending("policy", codes["1002"], "--json").json["policy"]}
    agreed = lines["agreed_rhythm_days"]
    assert (agreed["value"], agreed["layer"]) == (60, "agreed with this client in an answer")
    assert agreed["basis"] == "an answer (`tending why` shows it)"


def test_policy_names_value_layer_and_basis(practice, read, codes, tending):
    with practice.open("a") as file:
        file.write(
            f"\n[policy.therapist.T1]\nquiet_after_days = 21\n[policy.client.{codes['1001']}]\nusual_rhythm_days = 30\n"
        )
    lines = {line["name"]: line for line in tending("policy", codes["1001"], "--json").json["policy"]}
    assert (lines["quiet_after_days"]["value"], lines["quiet_after_days"]["layer"]) == (21, "therapist T1")
    assert (lines["usual_rhythm_days"]["value"], lines["usual_rhythm_days"]["layer"]) == (30, "agreed with this client")
    assert lines["speak"]["layer"] == "practice"
    assert lines["quiet_factor"]["basis"] == "our choice"
    out = tending("policy", "--therapist", "T1").out
    assert "quiet_after_days" in out
    assert "therapist T1" in out
    assert tending("policy", codes["1001"], "--therapist", "T1").code == 2


def test_who_and_code_find_each_other_and_every_look_is_recorded(codes, tending):
    assert tending("who", codes["1004"]).out == f"{codes['1004']}  Dagny Þórsdóttir  (id 1004)\n"
    assert tending("code", "thorsdottir", "DAGNY").code == 2  # þ is a letter of its own
    assert codes["1005"] in tending("code", "celikbilek", "EMRE").out
    acts = tending("audit", "--json").json
    assert [act["act"] for act in acts[:3]] == ["code looked up", "code looked up", "identity read"]
    assert acts[2]["subject"] == codes["1004"]
    assert not any(name in json.dumps(acts, ensure_ascii=False) for name in NAMES)
    assert codes["1004"] in tending("audit", "list", "--about", codes["1004"]).out
    state = tending("audit", "verify", "--json")
    assert (state.code, state.json["whole"], state.json["waiting"]) == (0, True, len(tending("audit", "--json").json))
    assert tending("audit", "verify", "--head", f"5:{'0' * 32}").code == 1


def test_unmatched_entries_are_listed_without_their_titles_unless_asked_and_recorded(read, tending):
    done = tending("unmatched")
    assert "calendar-t1" in done.out
    assert "15:00" in done.out
    assert "Zahnarzt" not in done.out
    assert "Zahnarzt Königsallee" in tending("unmatched", "--titles").out
    assert tending("audit", "--json").json[0]["act"] == "titles of unmatched entries read"
    assert tending("unmatched", "--json").json[0]["entries"] == 1


def test_a_row_that_is_not_understood_lies_in_quarantine_until_mended_or_discarded(clinic, codes, today, tending):
    file = clinic / "exports" / "appointments.csv"
    good = file.read_text()
    file.write_text(good + "z1,1001,T1,the day of Müllenbröck,50,attended\nz2,1002,T1,sometime,50,attended\n")
    done = tending("sync")
    assert done.code == 1
    assert "2 not understood" in done.out
    assert "`tending quarantine list`" in done.out
    listed = tending("quarantine")
    assert listed.code == 1
    assert "appointments.csv" in listed.out
    assert "Müllenbröck" not in listed.out + done.out + done.err
    first, second = (item["id"] for item in tending("quarantine", "list", "--json").json)
    shown = tending("quarantine", "show", str(first))
    assert "the day of Müllenbröck" in shown.out
    assert tending("audit", "--json").json[0]["act"] == "quarantine opened"
    assert "Cannot say" in tending("why", codes["1002"]).out
    silent = f"Of 1 client something cannot be said yet ({codes['1002']}): `tending why {codes['1002']}` says"
    assert silent in tending("findings").out
    assert "of 1 client something cannot be said yet" in tending("status").out
    assert tending("quarantine", "discard", str(second)).code == 2
    assert tending("quarantine", "discard", str(second), "typed", "twice").code == 0
    assert "cannot be said" not in tending("findings").out + tending("status").out
    assert tending("quarantine", "discard", str(second), "again").code == 2
    assert tending("quarantine", "retry").code == 1
    file.write_text(good + f"z1,1001,T1,{today - timedelta(days=1)} 10:00,50,attended\n")
    assert tending("sync").code == 0
    assert tending("quarantine").out == "The quarantine is empty.\n"
    assert len(tending("quarantine", "list", "--all", "--json").json) == 2
    assert tending("quarantine", "show", "99").code == 2
    assert tending("quarantine", "retry").code == 2


@pytest.fixture
def vanished(clinic, codes, today, tending):
    """Eight appointments of T2's calendar that were there and are not."""
    many = [event(f"m-{n}", at(today, -n, 9), "Çelikbilek, Emre") for n in range(1, 9)]
    file = clinic / "calendars" / "T2.ics"
    before = file.read_bytes()
    file.write_bytes(calendar(many))
    assert tending("sync", "calendar-t2").code == 0
    file.write_bytes(before)
    return "calendar-t2"


def test_what_vanishes_at_once_is_held_and_a_person_says_that_it_is_cancelled(vanished, clinic, codes, tending):
    done = tending("sync")
    assert done.code == 1
    assert f"`tending held {vanished}`" in done.out
    held = tending("held", vanished)
    assert held.code == 1
    assert held.out.count(codes["1005"]) == 8
    asked = tending("why", codes["1005"])
    assert asked.out.count("in question") == 4  # as many ahead as are shown
    assert "planned in a series" not in asked.out
    ahead = [a for a in tending("why", codes["1005"], "--json").json["appointments"] if a["in_question"]]
    assert [a["booked"] for a in ahead] == [True] * 4
    (clinic / "calendars" / "T2.ics").rename(clinic / "T2.ics")
    assert tending("sync", vanished).code == 4
    status = tending("status").out
    assert re.search(r"[^.]; 8 \w+ vanished at once", status)
    (clinic / "T2.ics").rename(clinic / "calendars" / "T2.ics")
    assert tending("held", vanished, "--cancelled", "--still-there").code == 2
    assert tending("held", vanished, "--cancelled").code == 0
    after = tending("sync", vanished)
    assert (after.code, "8 gone" in after.out) == (0, True)
    assert tending("held", vanished).out == f"Nothing is held for {vanished}.\n"
    assert tending("audit", "--json").json[0]["act"] == "vanished entries: cancelled"


def test_what_vanishes_at_once_and_is_still_there_is_not_asked_about_again(vanished, codes, tending):
    assert tending("sync").code == 1
    assert tending("held", vanished, "--still-there").code == 0
    after = tending("sync", vanished, "--json")
    assert (after.code, after.json["sources"][0]["held"], after.json["sources"][0]["vanished"]) == (0, 0, 0)
    assert "is booked for" in tending("why", codes["1005"]).out


def test_arming_asks_and_shows_what_waits(read, tables, tending):
    assert "Not armed" in tending("check", "--offline").out
    assert tending("arm").code == 2  # nobody is here to be asked
    with tables.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO notice (subject, purpose, generation, step, recipient, audience, urgency, level, requires, facts,"
                " made_at, not_before, expires_at, state, tries, outcome) VALUES ('practice', 'weekly_line', 1, 0, 'admin', 'admin',"
                " 'weekly', 2, '{}', '{}', 1, 1, 4000000000, 'waiting', 0, '')"
            )
        )
    done = tending("arm", "--yes")
    assert done.code == 0
    assert "1 weekly  1 due now" in done.out
    assert "nothing can leave" in done.out
    with read.open("a", encoding="utf-8") as file:
        file.write('\n[mail]\nsender = "a@example.org"\n')
    assert "nothing can leave" not in tending("arm", "--yes").out
    assert "1 notice waiting:\n  admin  1 weekly\n" in tending("outbox", "list").out
    assert tending("outbox", "--json").json["waiting_for"] == [
        {"recipient": "admin", "urgency": "weekly", "notices": 1}
    ]
    assert "Armed: this installation sends." in tending("check", "--offline").out
    (read.parent / "data" / "installation-token").write_text("another")
    copy = tending("arm", "--json", "--yes").json
    assert (copy["was"], copy["now"]) == ("copy", "armed")
    assert tending("disarm").code == 0
    assert tending("status", "--json").json["arming"] == "never"


def test_a_person_settles_messages_of_which_nobody_knows_whether_they_arrived(read, tables, tending):
    with tables.begin() as connection:
        for number, state in enumerate(("unsure", "unsure", "failed", "sent"), start=1):
            connection.execute(
                text(
                    "INSERT INTO message (id, recipient, channel, message_id_header, sealed, urgency, state, claimed_at, claimed_by,"
                    " problem)"
                    " VALUES (:n, 'therapist:T1', 'mail', :header, :sealed, 'prompt', :state, 1, 'cli', 'the line broke')"
                ),
                {"n": number, "header": f"h{number}", "sealed": b"x", "state": state},
            )
    done = tending("outbox")
    assert (done.code, done.out.count("the line broke")) == (1, 3)
    assert tending("outbox", "arrived", "1").code == 0
    assert tending("outbox", "again", "2").code == 0
    assert tending("outbox", "drop", "3").code == 0
    assert tending("outbox", "drop", "4").code == 2
    assert tending("outbox", "drop", "77").code == 2
    assert tending("outbox").out.startswith("No message asks for anybody.")
    states = {m["number"]: m["state"] for m in tending("outbox", "list", "--all", "--json").json["messages"]}
    assert states == {1: "sent", 2: "dropped", 3: "dropped", 4: "sent"}
    assert [act["act"] for act in tending("audit", "--json").json[:3]] == [
        "message: dropped",
        "message: again",
        "message: arrived",
    ]


def test_check_says_that_without_a_list_of_clients_nobody_is_looked_after(clinic, tending):
    said = "Sources were read, and no client is known: nobody is looked after."
    (clinic / "exports" / "clients.csv").unlink()
    assert tending("init", "--from", ".", "--zone", ZONE).code == 0
    assert said not in tending("check", "--offline").out
    tending("sync")
    assert said in tending("check", "--offline").out


def test_check_says_what_is_missing_and_how_to_mend_it(clinic, read, codes, tending):
    done = tending("check")
    assert done.code == 1
    assert "No mail address and no channel: T2" in done.out
    assert f"1 client without a therapist: {codes['1006']}" in done.out
    assert "Neither [mail] nor a [[channel]] is set" in done.out
    assert "1 entry belongs to nobody" in done.out
    file = clinic / "exports" / "clients.csv"
    file.write_text("\n".join(line for line in file.read_text().splitlines() if not line.startswith("1005")) + "\n")
    assert f"1 client in care no longer in the export: {codes['1005']}" in tending("check").out
    assert not any(
        line["level"] == "MEND" and "no longer" in line["sentence"] for line in tending("check", "--json").json
    )
    file.write_text("\n".join(file.read_text().splitlines()[:3]) + "\n")
    assert any(line["level"] == "MEND" and "no longer" in line["sentence"] for line in tending("check", "--json").json)
    (clinic / "calendars" / "T1.ics").unlink()
    lines = tending("check", "--json").json
    assert any(line["level"] == "MEND" and "T1.ics is not there" in line["sentence"] for line in lines)
    assert not any(name in json.dumps(lines, ensure_ascii=False) for name in NAMES)


def test_check_asks_the_mail_server_and_reads_only(read, unused_tcp_port, tending):
    with read.open("a") as file:
        file.write(f'\n[mail]\nhost = "127.0.0.1"\nport = {unused_tcp_port}\nsender = "a@example.org"\n')
    before = tending("audit", "--json").json, tending("status", "--json").json["sources"]
    done = tending("check")
    assert "Channel mail" in done.out
    assert "MEND  messages" in done.out
    assert (tending("audit", "--json").json, tending("status", "--json").json["sources"]) == before


def test_a_dry_run_of_sync_changes_nothing(practice, tending):
    done = tending("sync", "--dry-run")
    assert done.code == 0
    assert "would be: 45 entries, 45 new" in done.out
    status = tending("status", "--json").json
    assert status["clients"] == {}
    assert all(source["read_at"] is None for source in status["sources"])


def test_one_source_that_fails_stops_no_other(clinic, practice, tending):
    (clinic / "calendars" / "T1.ics").write_text("<html>Sign in</html>")
    done = tending("sync")
    assert done.code == 4
    assert "T1.ics" in done.err
    assert done.err.count("\n") == 1
    assert "records" in done.out
    assert tending("status", "--json").json["clients"] == {"active": 5, "intake": 1}
    assert "last try failed" in tending("status").out


def test_rebuild_finds_nothing_and_mends_what_was_bent(codes, tables, tending):
    assert tending("rebuild").out == "6 clients derived again: nothing differed.\n"
    with tables.begin() as connection:
        number = connection.execute(text("SELECT id FROM client WHERE code = :code"), {"code": codes["1002"]}).scalar()
        connection.execute(text("UPDATE digest SET status = 2 WHERE client_id = :n"), {"n": number})
    assert tending("rebuild", "--dry-run").code == 1
    done = tending("rebuild")
    assert (done.code, codes["1002"] in done.out) == (1, True)
    assert tending("rebuild").code == 0


def test_keys_rotate_and_everything_is_still_read(read, codes, tending):
    keys = read.parent / "keys"
    before = keys.read_text().count("seal ")
    assert tending("keys", "rotate").code == 0
    assert keys.read_text().count("seal ") == before + 1
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    kept = [line for line in keys.read_text().splitlines() if not line.startswith("#")]
    keys.write_text("\n".join(kept[:2]) + "\n")  # the index key and the newest seal key alone
    assert "Chloé Øverland" in tending("who", codes["1003"]).out
    assert tending("upgrade").code == 0


def test_facts_come_as_json_too(read, tending):
    for line in (
        "status",
        "findings",
        "findings --all",
        "sync",
        "check --offline",
        "unmatched",
        "quarantine",
        "outbox",
        "audit",
        "audit verify",
        "policy",
        "rebuild --dry-run",
        "upgrade",
        "held records",
    ):
        machines, people = tending(*line.split(), "--json"), tending(*line.split())
        assert machines.err == "", line
        assert machines.json is not None, line
        assert people.code == machines.code, line
        assert people.out, line


def test_a_source_taken_out_of_practice_toml_is_named_until_somebody_forgets_it(read, tending):
    assert tending("forget", "calendar-t1").code == 2, "it still stands in practice.toml"
    text = read.read_text(encoding="utf-8")
    tables = text.split("[[source]]")
    read.write_text("[[source]]".join(t for t in tables if '"calendar-t1"' not in t), encoding="utf-8")
    for command in ("check", "status"):
        assert "tending forget calendar-t1" in tending(command).out
    assert tending("forget", "calendar-t1").code == 2, "nobody is here to be asked"
    would = tending("forget", "calendar-t1", "--dry-run")
    assert (would.code, would.out.startswith("Would be withdrawn: ")) == (0, True)
    assert tending("status", "--json").json["left_over"] == ["calendar-t1"]
    done = tending("forget", "calendar-t1", "--yes", "--json")
    assert (done.code, done.json["appointments"] > 0) == (0, True)
    assert tending("status", "--json").json["left_over"] == []
    assert tending("audit", "--json").json[0]["act"] == "source forgotten"
    assert "tending forget" not in tending("check").out


def test_a_series_of_nobody_is_one_entry_wherever_it_is_counted(clinic, read, today, tending):
    path = clinic / "calendars" / "T1.ics"
    series = event("team", at(today, -3), "Team", "RRULE:FREQ=WEEKLY;COUNT=8\r\n").encode()
    path.write_bytes(path.read_bytes().replace(b"END:VCALENDAR", series + b"END:VCALENDAR"))
    said = "2 entries (9 times) belong to nobody"
    assert said in tending("sync").out
    assert said in tending("status").out
    assert said in tending("check").out
    assert tending("status", "--json").json["unmatched"] == {"entries": 2, "times": 9, "rows": 0}
    assert len(tending("unmatched", "--json").json) == 2


def test_a_row_of_nobody_is_told_from_an_entry_of_a_calendar(clinic, read, today, tending):
    assert "client's id" not in tending("unmatched").out
    file = clinic / "exports" / "appointments.csv"
    file.write_text(file.read_text() + f"x9,7777,T1,{today} 10:00,50,booked\n")
    tending("sync")
    assert "the client's id is in no clients file" in tending("unmatched").out


def test_most_clients_missing_is_asked_about_and_nobody_is_gone(clinic, read, tending):
    file = clinic / "exports" / "clients.csv"
    whole = file.read_text()
    file.write_text(whole.splitlines()[0] + "\n")
    done = tending("sync")
    assert (done.code, "6 clients are named no more; was the export whole?" in done.out) == (1, True)
    assert "6 clients in care no longer in the export" in tending("check").out
    file.write_text(whole)
    assert tending("sync").code == 0


def test_a_policy_for_a_site_that_nobody_is_at_is_found(read, tending):
    read.write_text(read.read_text() + "\n[policy.site.Nowhere]\nquiet_after_days = 21\n")
    assert "[policy.site.Nowhere]: nobody is at a site of this name" in tending("check").out


def test_a_moment_that_never_was_is_none(codes, tending):
    done = tending("why", codes["1002"], "--at", "2026-03-29T02:30")
    assert (done.code, "That time never was in Europe/Berlin" in done.err) == (2, True)
    assert tending("why", codes["1002"], "--at", "").code == 2


def test_status_speaks_in_words(read, tables, tending):
    with tables.begin() as connection:
        connection.execute(text("UPDATE finding SET opened = 'noticed'"))
    said = tending("status").out
    assert "unconfirmed" not in said
    assert "Did these take place?" in said
