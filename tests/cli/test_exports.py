"""Exports that somebody forgets: files that come later, that nobody renews, that are cut off, and rows about nobody."""

import os
import time


def write(path, text):
    path.write_text(text, encoding="utf-8")


def said(tending, level="MEND"):
    return [line["sentence"] for line in tending("check", "--offline", "--json").json if line["level"] == level]


def test_scores_that_come_later_are_read_and_other_files_are_named(clinic, read, tending):
    scores = "client,measure,taken,score,risk\n1001,PHQ-9,2026-01-10,12,2\n"
    write(clinic / "exports" / "scores.csv", scores)
    write(clinic / "exports" / "appointments (1).csv", "id\n")
    assert "1 new" in tending("sync", "records").out
    assert any("exports/appointments (1).csv; name each under files" in line for line in said(tending))
    (clinic / "exports" / "appointments (1).csv").unlink()
    assert not any("that nothing reads" in line for line in said(tending))


def test_an_export_that_nobody_renews_is_no_good_news(clinic, read, tending):
    old = time.time() - 5 * 86400
    for file in (clinic / "exports").iterdir():
        os.utime(file, (old, old))
    write(clinic / "exports" / "appointments (1).csv", "id\n")
    assert tending("sync", "records").code == 0
    assert any("what happened since is not known here. Export it anew" in line for line in said(tending))
    assert "newest file written" in tending("status").out
    read.write_text(read.read_text().replace("# renewed_within_hours = 48", "renewed_within_hours = 200"))
    tending("sync", "records")
    assert not any("Export it anew" in line for line in said(tending))


def test_rows_about_nobody_are_counted_wherever_one_looks(clinic, read, today, tending):
    exports = clinic / "exports"
    write(exports / "goals.csv", "id,client,set\ng1,9999,2026-01-01\ng2,1001,2026-01-01\n")
    write(exports / "scores.csv", "client,measure,taken,score\n9999,SRS,2026-01-10,30\n9999,SRS,2026-01-17,30\n")
    write(exports / "holds.csv", "client,from\n9999,2026-01-10\n")
    write(exports / "breaks.csv", "client,from,to\n9999,2026-01-10,2026-01-12\n")
    count = "1 entry and 5 rows of records belong to nobody"
    for words in (("sync",), ("status",), ("check", "--offline")):
        assert count in tending(*words).out
    listed = tending("unmatched")
    for kind, rows in (("goals", "1 row"), ("scores", "2 rows"), ("holds", "1 row"), ("breaks", "1 row")):
        assert any(kind in line and rows in line for line in listed.out.splitlines())
    assert "9999" not in listed.out
    assert {"source": "records", "kind": "score", "entries": 2} in tending("unmatched", "--json").json
    clients = exports / "clients.csv"
    write(clients, clients.read_text(encoding="utf-8") + "9999,Gösta Öberg,T1,active,,\n")
    tending("sync")
    assert "rows of records" not in tending("status").out


def test_goals_that_vanish_are_shown_and_a_person_says_what_they_are(clinic, read, codes, tending):
    goals = clinic / "exports" / "goals.csv"
    write(goals, "id,client,set\n" + "".join(f"g{n},100{n},2026-01-0{n}\n" for n in range(1, 6)))
    tending("sync")
    write(goals, "id,client,set\n")
    assert "5 entries vanished at once and are held: `tending held records`" in tending("sync").out
    assert any("5 goals vanished at once" in line for line in said(tending))
    shown = tending("held", "records")
    assert (shown.code, "5 of 5 goals" in shown.out, codes["1003"] in shown.out) == (1, True, True)
    assert [one["kind"] for one in tending("held", "records", "--json").json] == ["goal"] * 5
    assert tending("held", "records", "--cancelled", "--kind", "room").code == 2
    assert tending("held", "records", "--cancelled", "--kind", "break").code == 2
    assert "5 goals of records: gone" in tending("held", "records", "--cancelled", "--kind", "goal").out
    assert "5 gone" in tending("sync").out or tending("held", "records").out.startswith("Nothing is held")


def test_therapists_by_name_and_two_of_a_name(clinic, read, tending):
    therapists = clinic / "exports" / "therapists.csv"
    clients = clinic / "exports" / "clients.csv"
    write(clients, clients.read_text(encoding="utf-8").replace(",T1,", ",Dr Kärcher,"))
    tending("sync")
    assert not any("in no therapists file" in line for line in said(tending))
    write(therapists, therapists.read_text(encoding="utf-8") + "T3,Dr Karcher,k@example.org\n")
    tending("sync")
    assert any("Several therapists bear the name that clients' rows give: Dr Kärcher" in line for line in said(tending))
    assert not any("in no therapists file" in line for line in said(tending))


def test_a_row_that_was_discarded_goes_nowhere_and_an_ending_needs_somebody_to_confirm_it(clinic, read, tending):
    file = clinic / "exports" / "appointments.csv"
    write(file, file.read_text(encoding="utf-8") + "z9,1001,T1,2026-01-01 10:00,50,rescheduled\n")
    tending("sync")
    assert any("1 row of it would go to quarantine" in line for line in said(tending, "note"))
    number = str(tending("quarantine", "list", "--json").json[0]["id"])
    assert tending("quarantine", "discard", number, "not ours").code == 0
    assert not any("would go to quarantine" in line for line in said(tending, "note"))
    assert any("No supervisor: T1, T2; nobody could confirm an ending" in line for line in said(tending, "note"))
    therapists = clinic / "exports" / "therapists.csv"
    write(therapists, "id,name,email,supervisor\nT1,Dr Kärcher,k@example.org,T2\nT2,Dr Lund,l@example.org,T1\n")
    tending("sync")
    assert not any("No supervisor" in line for line in said(tending, "note"))


def test_mail_without_a_safety_protocol_needs_doing(read, tending):
    assert not any("[safety] protocol" in line for line in said(tending))
    with read.open("a", encoding="utf-8") as file:
        file.write('\n[mail]\nsender = "a@example.org"\n')
    assert any("[safety] protocol is not set" in line for line in said(tending))


def test_the_zone_comes_from_the_calendars(clinic, tending):
    done = tending("init", "--from", ".", "--dry-run")
    assert 'zone = "Europe/Berlin"' in done.out
