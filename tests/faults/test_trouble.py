"""Trouble that is no kill: a full disk, a locked database, a mail server that is away or hangs up, a lost source, rivals."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from integrations.delivery import deliver
from integrations.looks import look_after
from integrations.messages.mailbox import Mailbox
from integrations.practice import Practice, open_practice
from integrations.store import arming, outbox
from integrations.store.engine import open_store
from integrations.store.tables import insert_new, table
from integrations.store.watching import tell_of_sources
from integrations.syncing import sync_source, sync_sources
from models.appointments import Participant
from models.eligibility import Urgency
from models.errors import SourceError, StoreError
from models.instants import DAY, HOUR, Instant
from models.invitations import Invitation
from models.notices import Message, MessageState, Notice
from models.noticing import ADMIN, NoticeKey, notice_row
from tests.faults.clinic import NOW, Clinic
from tests.faults.outcome import outcome
from tests.faults.story import HOLDER, MINUTE, monday, prepare
from tests.faults.telling import Telling
from tests.integrations.messages.servers import HANG_UP, free_port, scripted
from tests.integrations.messages.servers import web as web_hook

CHANNEL = '[[channel]]\nname = "pager"\nurl_env = "STORY_PAGER"\n'


@pytest.fixture
def reopened(tmp_path: Path) -> Iterator[Callable[..., Practice]]:
    """The prepared practice, opened with a mail server's port and other settings of the day; asked again, with others."""
    opened: list[Practice] = []
    clinic = Clinic(tmp_path / "practice", 25)
    prepare(clinic)
    as_written = clinic.toml.read_text()

    def open_with(port: int, extra: str = "") -> Practice:
        for practice in opened:
            practice.close()
        clinic.toml.write_text(as_written.replace("port = 25", f"port = {port}") + extra)
        opened.append(open_practice(clinic.toml))
        return opened[-1]

    yield open_with
    for practice in opened:
        practice.close()


def found(practice: Practice, model: Any, **having: object) -> list[Any]:
    """Rows of a table with these values."""
    rows = table(model)
    with practice.store.read() as connection:
        return list(connection.execute(rows.select().where(*(rows.c[n] == v for n, v in having.items()))))


# ---------------------------------------------------------------- the disk and the database


@pytest.mark.long
def test_a_full_disk_half_writes_nothing_and_what_waited_is_done_when_there_is_room(telling: Telling) -> None:
    telling.put_back()
    assert telling.tell() == 0
    undisturbed = telling.outcome()
    ended = []
    for kilobytes in range(40, 800, 120):
        telling.put_back()
        ended.append(telling.tell(most_bytes=kilobytes * 1024))
        assert telling.tell() == 0, f"no way on from a disk that was full at {kilobytes} kB"
        assert telling.outcome() == undisturbed, f"another end after a disk that was full at {kilobytes} kB"
    assert ended[0] == 1, "the disk was never full"
    assert ended[-1] == 0, "the disk was always full"


def test_a_full_disk_is_said_in_one_sentence_and_leaves_the_source_as_it_was(reopened: Callable[..., Practice]) -> None:
    practice = reopened(25)
    source = practice.settings.source_named("records")
    before = outcome(Clinic(practice.folder, 25), practice.folder)
    with practice.store.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    add_appointments(practice)
    with pytest.raises(StoreError, match="no room left on the disk"):
        sync_source(practice, source, NOW, HOLDER)
    assert outcome(Clinic(practice.folder, 25), practice.folder) == before
    with practice.store.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert sync_source(practice, source, NOW + HOUR, HOLDER).new == 603
    after = outcome(Clinic(practice.folder, 25), practice.folder)
    assert len(after["participant"]) == len(before["participant"]) + 600


def add_appointments(practice: Practice) -> None:
    """Six hundred more in the export."""
    with (practice.folder / "exports" / "appointments.csv").open("a") as file:
        for number in range(600):
            day, hour = divmod(number, 8)
            file.write(f"more-{number},1001,T1,2025-{day // 28 + 1:02d}-{day % 28 + 1:02d} {hour + 9}:00,50,attended\n")


def test_a_database_that_another_program_locks_for_long_is_said_and_waited_for(
    reopened: Callable[..., Practice],
) -> None:
    patient = reopened(25)
    hasty = Practice(
        patient.settings, patient.folder, open_store(patient.settings.store.url, busy_seconds=0.3), patient.vault
    )
    source = hasty.settings.source_named("cal-t1")
    other = sqlite3.connect(patient.store.place, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="busy for too long with another program"):
        sync_source(hasty, source, NOW, HOLDER)
    with pytest.raises(StoreError, match="busy for too long"):
        look_after(hasty, NOW, HOLDER)
    waited = []
    waiting = threading.Thread(target=lambda: waited.append(sync_source(patient, source, NOW, HOLDER)))
    waiting.start()
    waiting.join(0.5)
    assert not waited
    other.execute("ROLLBACK")
    other.close()
    waiting.join()
    hasty.close()
    assert [(taken.new, taken.vanished) for taken in waited] == [(1, 2)]


# ---------------------------------------------------------------- mail


def test_a_mail_server_that_is_away_gets_each_mail_once_when_it_is_back(
    reopened: Callable[..., Practice], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_hook(200) as (hook, told), Mailbox(tmp_path / "mails") as mailbox:
        monkeypatch.setenv("STORY_PAGER", f"json://127.0.0.1:{hook}")
        practice = reopened(free_port(), CHANNEL)
        monday(practice, NOW)
        assert delivered_at(practice, NOW + MINUTE - 1).refused == 0, "tried again too early"
        assert delivered_at(practice, NOW + 2 * MINUTE).refused == 3  # two mails, and the invitation
        assert told == []
        assert delivered_at(practice, NOW + 10 * MINUTE).refused == 3
        # What failed is told at the next delivery, by the channel that works.
        assert delivered_at(practice, NOW + 11 * MINUTE).sent == 1
        assert len(told) == 1
        assert b"mail" in told[0]
        assert [row.facts["channel"] for row in found(practice, Notice, purpose="delivery_failed")] == ["mail"]

        practice = reopened(mailbox.port, CHANNEL)
        assert delivered_at(practice, NOW + HOUR).sent == 3
        assert delivered_at(practice, NOW + 2 * HOUR).sent == 0
        assert sorted(mail.to for mail in mailbox.mails()) == ["admin@example.org", "k@example.org", "k@example.org"]
        assert len(told) == 1
    states = {row.state for row in found(practice, Message)}
    assert states == {MessageState.released, MessageState.sent}


def uninvited(practice: Practice) -> Practice:
    """The practice before anybody wanted an appointment in a calendar: what is told of here is notices."""
    with practice.store.write() as connection:
        connection.execute(table(Invitation).delete())
    return practice


def delivered_at(practice: Practice, now: Instant) -> Any:
    return deliver(practice, now, HOLDER)


def test_a_mail_server_that_hangs_up_after_the_content_is_asked_about_and_not_sent_to_again(
    reopened: Callable[..., Practice], tmp_path: Path
) -> None:
    with scripted(content=HANG_UP) as server, Mailbox(tmp_path / "mails") as mailbox:
        practice = uninvited(reopened(server.port))
        monday(practice, NOW)
        assert len(server.mails) == 2
        unsure = {row.recipient: row.id for row in found(practice, Message, state=MessageState.unsure.value)}
        assert unsure.keys() == {ADMIN, "therapist:T1"}
        asked = {row.subject for row in found(practice, Notice, purpose="handed_over")}
        assert asked == {f"message:{number}" for number in unsure.values()}

        practice = reopened(mailbox.port)
        delivered_at(practice, NOW + HOUR)
        assert [mail.to for mail in mailbox.mails()] == ["admin@example.org"] * 2
        assert all("Sent or not?" in mail.text for mail in mailbox.mails())

        # A person says that the therapist's never came: only then is it sent once more.
        with practice.store.write() as connection:
            outbox.again(connection, unsure["therapist:T1"], NOW + HOUR)
        assert delivered_at(practice, NOW + HOUR).sent == 1
        assert delivered_at(practice, NOW + 2 * HOUR).sent == 0
        assert [mail.to for mail in mailbox.mails()].count("k@example.org") == 1


def test_a_safety_notice_is_sent_again_by_itself(reopened: Callable[..., Practice], tmp_path: Path) -> None:
    key = NoticeKey("practice", "nightly_check", 1, 0, ADMIN)
    differ = [{"code": "C-7F3K9QX", "stored_says": "quiet", "fresh_says": "not quiet"}]
    facts = {"differ": differ, "differ_more": 0, "failed": [], "failed_more": 0}
    with scripted(content=HANG_UP) as server, Mailbox(tmp_path / "mails") as mailbox:
        practice = uninvited(reopened(server.port))
        arming.arm(practice.store, practice.data, "admin", NOW)
        with practice.store.write() as connection:
            insert_new(connection, Notice, notice_row(key, Urgency.safety, NOW, DAY, NOW, facts=facts))
        assert delivered_at(practice, NOW).unsure == 1
        assert len(server.mails) == 1
        assert found(practice, Notice, purpose="handed_over") == []

        practice = reopened(mailbox.port)
        assert delivered_at(practice, NOW + MINUTE).sent == 1
        assert delivered_at(practice, NOW + HOUR).sent == 0
        assert len(mailbox.mails()) == 1
    assert [row.state for row in found(practice, Message)] == [MessageState.dropped, MessageState.sent]


def test_a_notice_that_cannot_be_put_into_words_keeps_nobody_from_theirs(
    reopened: Callable[..., Practice], tmp_path: Path
) -> None:
    unsayable = NoticeKey("practice", "weekly_line", 1, 0, "therapist:T1")
    with Mailbox(tmp_path / "mails") as mailbox:
        practice = uninvited(reopened(mailbox.port))
        with practice.store.write() as connection:
            insert_new(connection, Notice, notice_row(unsayable, Urgency.prompt, NOW, DAY, NOW, facts={"gone": 1}))
        monday(practice, NOW)
        text = next(mail.text for mail in mailbox.mails() if mail.to == "k@example.org")
        # Five items go in a day, of which one is what could not be said.
        labels = ("Quiet: ", "Goal review: ", "Off track: ", "Session rating: ")
        assert sum(text.count(label) for label in labels) == 4
        assert "could not be put into words" in text
        assert len(mailbox.mails()) == 2


# ---------------------------------------------------------------- sources


def test_a_source_that_is_away_cancels_nothing_is_told_of_once_and_when_it_is_back_it_is_well(
    reopened: Callable[..., Practice], tmp_path: Path
) -> None:
    with Mailbox(tmp_path / "mails") as mailbox:
        practice = reopened(mailbox.port)
        source = practice.settings.source_named("cal-t2")
        calendar = practice.folder / "t2.ics"
        booked = found(practice, Notice)
        with pytest.raises(SourceError):
            sync_source(practice, source, NOW - 2 * DAY, HOLDER)
        assert told_of(practice, NOW - 3 * DAY + HOUR) == 0, "told before it was too old"
        arming.arm(practice.store, practice.data, "admin", NOW)
        for later in (0, HOUR, 5 * HOUR):
            _, faults = sync_sources(practice, [source], NOW + later, HOLDER)
            assert not faults
            told_of(practice, NOW + later)
            look_after(practice, NOW + later, HOLDER)
        about = [mail for mail in mailbox.mails() if "cal-t2" in mail.text]
        assert [mail.to for mail in about] == ["admin@example.org"]
        assert booked == []
        assert "cancelled" not in {row.plan for row in found(practice, Participant)}

        Clinic(practice.folder, 25).calendar(2, [("next1004", NOW + 3 * DAY, "1004")])
        assert calendar.exists()
        assert sync_source(practice, source, NOW + 6 * HOUR, HOLDER).unchanged
        look_after(practice, NOW + DAY, HOLDER)
        assert len([mail for mail in mailbox.mails() if "cal-t2" in mail.text]) == 1, (
            "the therapist was told of the past"
        )
        calendar.unlink()
        sync_sources(practice, [source], NOW + 4 * DAY, HOLDER)
        assert told_of(practice, NOW + 4 * DAY) == 2, "another outage is another reason"


def told_of(practice: Practice, now: Instant) -> int:
    with practice.store.write() as connection:
        return tell_of_sources(practice, connection, now)


# ---------------------------------------------------------------- several at once


@pytest.mark.parametrize("database", ["telling", pytest.param("telling_on_postgres", marks=pytest.mark.long)])
def test_several_processes_at_once_do_everything_once(database: str, request: pytest.FixtureRequest) -> None:
    telling: Telling = request.getfixturevalue(database)
    telling.put_back()
    assert telling.tell() == 0
    alone = in_any_order(telling.outcome())
    with ExitStack() as forges:
        rivals = [forges.enter_context(telling.a_forge("tests.faults.story")) for _ in range(3)]
        for _ in range(2):
            telling.put_back()
            with open_practice(telling.clinic.toml) as practice:
                arming.arm(practice.store, practice.data, "admin", NOW)
            with ThreadPoolExecutor(len(rivals)) as side_by_side:
                ended = list(side_by_side.map(lambda forge: telling.ask(forge, "compete"), rivals))
            assert ended == [0, 0, 0]
            assert telling.tell(first=1) == 0
            assert in_any_order(telling.outcome()) == alone
            assert telling.asked() == 0


def in_any_order(outcome: dict[str, Any]) -> dict[str, Any]:
    """An outcome without what comes of a calendar being read before the records, not after them: of three at once any may come first.

    A calendar's entries are then matched again when the records bring another client: what is derived is the same, and a look is
    asked for once more. Whoever looks between the two readings sends what there is to say then, and the rest in a second mail: each
    item comes once, whatever mail it is in.
    """
    items = [(to, line) for to, _, text in outcome["mails"] for line in text.splitlines() if ": " in line]
    ledger = sorted({tuple(row) for row in outcome["ledger"]})
    changes = [row for row in outcome["change"] if '"client.changed"' not in row]
    return outcome | {"change": changes, "mails": sorted(items), "ledger": ledger}
