"""Everything that can happen to identities: intake, rules, delivery, failing runs, the reactor, commands rightly and wrongly typed."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flows.calendar_sync import calendar_sync
from flows.client_looks import client_looks
from flows.deliver_notices import deliver_notices
from flows.nightly_check import nightly_check
from flows.record_sync import record_sync
from flows.weekly_letters import weekly_letters
from integrations.opened import lend
from integrations.practice import open_practice
from integrations.store import arming
from integrations.store.decisions import decide
from models.instants import DAY, HOUR, Instant, utc_text
from tests.faults.canary_desk import sit_down
from tests.faults.canary_leaving import leaving
from tests.faults.canary_practice import (
    IDS,
    NOTES,
    PHONE,
    QUIET,
    REJECTED,
    THERAPIST_MAIL,
    TWIN,
    UNKNOWN,
    WAITING,
    Run,
    must_fail,
    practice_toml,
)
from tests.flows.test_reactor import reacting, until
from tests.integrations.messages.servers import scripted


def at(when: Instant) -> str:
    return utc_text(when)


async def everything(run: Run) -> str:
    """Intake, rules, notices, delivery, letters and every way to fail, with identities at hand. Answers the head that was sent out."""
    now = run.now
    arming.arm(run.practice.store, run.practice.data, "test", now)
    with lend(run.practice, "test"):
        run.write_calendar(4)
        assert await record_sync(now=at(now)) is not None
        await calendar_sync(now=at(now))
        await client_looks(now=at(now))
        run.write_calendar()
        await calendar_sync(now=at(now + 60))
        with run.practice.store.write() as connection:
            decide(run.practice, connection, [run.client_id(IDS[0])], now + 60)
        await refusals(run, 451, "RCPT", now + 120)
        await client_looks(now=at(now + HOUR))
        assert any(run.code_of(IDS[0]) in mail.text for mail in run.mailbox.mails())
    run.tokens = await asyncio.to_thread(sit_down, run)
    for clinic_id in IDS[:3]:
        await asyncio.to_thread(run.command, "who", run.code_of(clinic_id), expect=0, shows=True)
    start = f"{datetime.now(UTC) + timedelta(days=10):%Y-%m-%dT12:00}"
    # It shows the mail exactly as it goes, with the therapist's address.
    await asyncio.to_thread(run.command, "invite", run.code_of(IDS[0]), "T1", start, "--yes", expect=0, shows=True)
    run.reopen(broken=True)
    with lend(run.practice, "test"):
        await calendar_sync(now=at(now + HOUR))
        await failures(run)
        await nightly_check(now=at(now + 2 * HOUR))
        await weekly_letters(now=at(now + 2 * HOUR))
        await deliver_notices(now=at(now + DAY))
    run.execute(f"UPDATE notice SET {WAITING}")
    await refusals(run, 554, "content", now + DAY + HOUR)
    await reaction(run, now + DAY + 2 * HOUR)
    await asyncio.to_thread(commands, run)
    await leaving(run)
    await asyncio.to_thread(recorded, run)
    return head_sent(run)


async def refusals(run: Run, code: int, word: str, when: Instant) -> None:
    """A mail server that refuses, and in refusing repeats an address and a name."""
    # What is still to be looked at waits with its mail; here the mail is what matters.
    run.execute(f"UPDATE change SET drained_at = {when} WHERE drained_at IS NULL")
    other = run.folder / "refused.toml"
    url = run.practice.settings.store.url
    with scripted(**{word: f"{code} 5.1.1 <{THERAPIST_MAIL}> {QUIET} unbekannt"}) as server:
        other.write_text(practice_toml(url, server.port), encoding="utf-8")
        with open_practice(other) as practice, lend(practice, "test"):
            await deliver_notices(now=at(when))
            assert ("DATA" if word == "content" else word) in server.heard
    other.unlink()


async def reaction(run: Run, when: Instant) -> None:
    """The long-lived process takes in a booking, and a file that breaks in the middle, tells Prefect and logs."""

    def there(start: Instant) -> bool:
        with run.practice.store.read() as connection:
            taken = connection.exec_driver_sql(
                f"SELECT count(*) FROM appointment WHERE start_at = {start}"
            ).scalar_one()
            waiting = connection.exec_driver_sql("SELECT count(*) FROM change WHERE NOT event_sent").scalar_one()
        return bool(taken) and not waiting

    async with reacting(replace(run, now=when), sweep_seconds=1.0):
        run.write_calendar(20)
        assert await until(lambda: there(run.now + 20 * DAY), 40)
        whole = (run.folder / "t1.ics").read_bytes()
        (run.folder / "t1.ics").write_bytes(whole[: len(whole) // 2])

        def noticed() -> bool:
            with run.practice.store.read() as connection:
                return bool(connection.exec_driver_sql("SELECT problem FROM source WHERE name = 'cal-t1'").scalar_one())

        assert await until(noticed, 40)
    run.write_calendar()


async def failures(run: Run) -> None:
    """Runs that fail at a fault nobody foresaw, in the middle of writing a row, an entry and a message."""
    later = at(run.now + HOUR + 60)
    clients = run.folder / "exports" / "clients.csv"
    whole = clients.read_text(encoding="utf-8")
    clients.write_text(whole + f"{IDS[3]}-3,{REJECTED},T1,{NOTES},2026-01-05,{PHONE},{NOTES}\n", encoding="utf-8")
    run.execute("ALTER TABLE quarantine RENAME COLUMN raw TO raw_elsewhere")
    await record_sync(now=later)
    await asyncio.to_thread(run.command, "sync", "records", expect=70)  # an error of our own: its place is written down
    assert (run.practice.data / "logs" / "errors.log").read_text()
    run.execute("ALTER TABLE quarantine RENAME COLUMN raw_elsewhere TO raw")
    clients.write_text(whole, encoding="utf-8")
    run.write_calendar(5, 6)
    run.execute("ALTER TABLE observation RENAME COLUMN hints TO hints_elsewhere")
    await calendar_sync(now=later)
    run.execute("ALTER TABLE observation RENAME COLUMN hints_elsewhere TO hints")
    run.write_calendar()
    await must_fail(run, weekly_letters, "notice", "facts")
    await weekly_letters(now=later)
    await must_fail(run, nightly_check, "digest", "line")
    run.execute(
        "UPDATE notice SET state = 'waiting', message_id = NULL, not_before = 0, expires_at = 99999999999 WHERE purpose = 'weekly_line'"
    )
    await must_fail(run, deliver_notices, "message", "sealed")
    with pytest.raises(Exception, match="source of that name"):
        await calendar_sync(sources=["cal-t9"])


def commands(run: Run) -> None:
    """What an administrator types, also with names where codes belong."""
    code = run.code_of(IDS[0])
    run.command("sync", expect=(1, 3, 4))
    run.command("sync", "--json", expect=(1, 3, 4))
    for words in (
        ("findings", "--all"),
        ("findings", "--json"),
        ("status",),
        ("policy",),
        ("held", "cal-t1"),
        ("unmatched",),
    ):
        run.command(*words, expect=(0, 1))
    run.command("check", expect=1)
    run.command("check", "--json", expect=1)
    run.command("outbox", "list", "--all", expect=(0, 1))
    run.command("boundary", code, expect=0)
    run.command("boundary", "--restricted", "--json", expect=0)
    run.command("why", code, expect=0)
    run.command("why", code, "--at", f"{datetime.fromtimestamp(run.now - DAY, UTC):%Y-%m-%d}", "--json", expect=0)
    run.command("slots", "T1", "--client", code, expect=0)
    run.command("slots", "T1", "--client", code, "--json", expect=0)
    run.command("invite", expect=0)
    run.command("invite", "--json", expect=0)
    run.command("timeline", code, "--redacted", "--reads", expect=0)
    run.command("timeline", code, "--redacted", "--json", expect=0)
    run.command("timeline", code, expect=0, shows=True)
    run.command("quarantine", "list", expect=1)
    run.command("quarantine", "list", "--json", expect=1)
    run.command("rebuild", "--dry-run", expect=0)
    run.command("init", "--dry-run", "--from", str(run.folder), expect=0)
    # Refused, with an identity on the command line.
    for name in (QUIET, QUIET.split()[1], IDS[0]):
        run.command("why", name, expect=2)
        run.command("who", name, expect=2)
        run.command("timeline", name, expect=2)
        run.command("boundary", name, expect=2)
        run.command("answer", name, "quiet", "done", expect=2)
        run.command("policy", name, expect=2)
        run.command("policy", "--therapist", name, expect=2)
        run.command("sync", name, expect=(2, 3))
        run.command("slots", name, expect=2)
        run.command("slots", "T1", "--client", name, expect=2)
        run.command("invite", name, name, name, expect=2)
        run.command("invite", code, "T1", name, expect=2)
        run.command("invite", "--cancel", name, expect=2)
        run.command(name, expect=2)
    run.command("why", *QUIET.split(), expect=2)
    run.command(f"--{QUIET.split()[0]}", expect=2)
    run.command("why", code, "--at", QUIET, expect=2)
    run.command("quarantine", "show", QUIET, expect=2)
    run.command("quarantine", "discard", "999999", NOTES, expect=2)
    run.command("code", UNKNOWN, expect=2)
    run.command("audit", "list", "--about", QUIET, expect=2)
    run.command("audit", "verify", "--head", QUIET, expect=2)


def recorded(run: Run) -> None:
    """Every act that shows who somebody is writes a row, with who asked and about whom."""
    code, referred = run.code_of(IDS[0]), run.code_of(IDS[1])
    with run.practice.store.read() as connection:
        (held, *_) = connection.exec_driver_sql("SELECT id FROM quarantine WHERE state = 'held' ORDER BY id").scalars()
    looks = (
        (("who", code), "identity read", code, QUIET),
        (("who", code, "--json"), "identity read", code, IDS[0]),
        (("referrals", referred), "referrals shown", referred, NOTES),  # what the consent is for
        (("code", QUIET), "code looked up", code, code),
        (("code", IDS[0]), "code looked up", code, code),
        (("quarantine", "show", str(held)), "quarantine opened", None, ""),
        (("quarantine", "discard", str(held), NOTES), "quarantine discarded", None, ""),
        (("unmatched", "--titles", "--all"), "titles of unmatched entries read", "", UNKNOWN),
    )
    for words, act, subject, told in looks:
        before = len(run.acts())
        shows = words[0] in ("who", "unmatched", "referrals") or "show" in words
        # `code` is asked with a name; what it prints is codes alone.
        assert told in run.command(*words, expect=0, shows=shows)
        new = run.acts()[before:]
        assert [(a, s) for _, a, s in new if subject is None or s == subject] == [(act, s) for _, _, s in new], words
        assert len(new) == 1, words
        assert new[0][1] == act
        assert new[0][0]
    before = len(run.acts())
    assert len(run.command("code", TWIN, expect=0).split("C-")) == 3  # two of that name
    assert [act for _, act, _ in run.acts()[before:]] == ["code looked up"] * 2
    before = len(run.acts())
    run.command("code", "Niemand Unbekanntes", expect=2)
    assert [act for _, act, _ in run.acts()[before:]] == ["code looked up"]
    run.command("audit", "list", "--last", "1000", expect=0)
    run.command("audit", "list", "--last", "1000", "--json", expect=0)


def head_sent(run: Run) -> str:
    """The head of the audit that the weekly mail carried."""
    heads = [found for mail in run.mailbox.mails() for found in re.findall(r"\b\d+:[0-9a-f]{32}\b", mail.text)]
    assert heads
    return heads[-1]
