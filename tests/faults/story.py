"""The story that is killed: one practice, one week's news, and all that follows, by the functions that the reactor calls.

`python -m tests.faults.story` is the warm process that tells it, in a fork for each telling (see kills.py).
"""

import resource
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from integrations import answering, ending, ending_wake
from integrations.delivery import MAIL, smtp_server
from integrations.looks import hand_over_due, look_after
from integrations.messages.channels import open_channel
from integrations.messages.mail import SmtpServer, Tls, message_id_of
from integrations.messages.mailbox import read_mails
from integrations.messages.plugin import smtp_url
from integrations.night import night
from integrations.practice import Practice, open_practice
from integrations.store import answers, arming, audit, finding_rows, invitations, outbox
from integrations.store.identity import codes_of
from integrations.store.leases import LeaseHeld
from integrations.store.migrate import whole_metadata
from integrations.store.people import ref_hash, who_may_be_meant
from integrations.store.tables import table
from integrations.store.terminations import Start
from integrations.store.watching import tell_of_sources, write_weekly_letters
from integrations.syncing import sync_sources
from integrations.vault import Vault
from models.answers import Reply
from models.answers import answer as answered
from models.ending_acts import What
from models.instants import DAY, HOUR, Instant
from models.invitations import Wanted
from models.notices import Message, MessageState, Notice
from models.people import Client
from tests.faults.clinic import BEFORE, CHANNEL, NOW, ZONE, Clinic
from tests.faults.kills import Tracer, forge
from tests.faults.web import heard

MINUTE = 60
HOLDER, BY = "story", "therapist:T1"


# ---------------------------------------------------------------- the practice as it is found


def prepare(clinic: Clinic) -> None:
    """The practice as the story finds it: read and sorted three days before, never armed; then the news."""
    clinic.write()
    with open_practice(clinic.toml, create=True) as practice:
        sync_sources(practice, practice.settings.source, BEFORE, HOLDER)
        look_after(practice, BEFORE, HOLDER)
        codes_of(practice.store, practice.vault, "1001", "admin", BEFORE)  # acts for the audit
        codes_of(practice.store, practice.vault, "nobody", "admin", BEFORE)
        invite(practice)
    clinic.news()


def invite(practice: Practice) -> None:
    """An appointment of 1003 is to stand in their therapist's calendar."""
    wanted = Wanted.at(NOW + 12 * DAY, 50, ZONE, "Appointment")
    with practice.store.write() as connection:
        (client,) = who_may_be_meant(connection, [ref_hash(practice.vault, "1003")], [], [])
        invitations.want(practice, connection, client, "therapist:T1", wanted, BEFORE)


# ---------------------------------------------------------------- what the practice does about it


def monday(practice: Practice, now: Instant) -> None:
    """Somebody arms it; everything is read, decided and handed over."""
    if not arming.armed(practice.store, practice.data):
        arming.arm(practice.store, practice.data, "admin", now)
    _faults(sync_sources(practice, practice.settings.source, now, HOLDER)[1])
    with practice.store.write() as connection:
        tell_of_sources(practice, connection, now)
    _faults(look_after(practice, now, HOLDER).put_off)


def therapist_says(practice: Practice, now: Instant) -> None:
    """What the therapist answers on the desk, each under the id that its page was given; of two the second is taken back. After a kill
    the same page is sent again."""
    with practice.store.read() as connection:
        clients = {row.code: row.id for row in connection.execute(select(table(Client)))}
        (asked,) = {finding.code for finding in finding_rows.findings(connection) if finding.kind == "rating"}
    about = clients[asked]
    for number, (kind, reply, more, note) in enumerate(
        (
            ("review_due", Reply.done, {}, "Ünal möchte es langsamer"),
            ("rating", Reply.snooze, {"until": now + 7 * DAY, "reason": "later"}, ""),
        )
    ):
        answer_id, said = f"{number:032x}", answered(kind, reply, now, **more)
        with practice.store.write() as connection:
            before = answers.find(connection, answer_id)
            if before is None or not before.gone:
                answering.say(practice, connection, about, said, BY, now, note=note, answer_id=answer_id)
    with practice.store.write() as connection:
        before = answers.find(connection, answer_id)
        if before is not None and not before.gone:
            assert answering.unsay(practice, connection, answer_id, BY, now + 20) == asked


def nightly(practice: Practice, now: Instant) -> None:
    """A sweep, the comparison of everybody from scratch, the sealing of the audit."""
    _faults(sync_sources(practice, practice.settings.source, now, HOLDER)[1])
    checked = night(practice, now, HOLDER)
    assert not checked.night.differences
    assert checked.audit_whole
    _faults(checked.put_off)


def letters(practice: Practice, now: Instant) -> None:
    """The weekly letters, which carry the audit's head out."""
    audit.seal_all(practice.store)
    with practice.store.write() as connection:
        write_weekly_letters(practice, connection, now)
    hand_over_due(practice, now, HOLDER)


def ending_begins(practice: Practice, now: Instant) -> None:
    """A therapist begins an ending, a peer confirms it, and its first step is done: each word is given once, under an id of its own."""
    with practice.store.read() as connection:
        clients = table(Client)
        mine = clients.c.ref_hash == ref_hash(practice.vault, "1003")
        client = connection.execute(select(clients.c.id).where(mine)).scalar_one()
    for act in (
        partial(ending.begin, asked=Start("poor-fit", "no"), by="therapist:T1", act_id="begun"),
        partial(ending.say, what=What.confirmed, by="therapist:T2", personal="no", act_id="confirmed"),
        partial(ending.say, what=What.done, by="therapist:T1", step="explain", act_id="explained"),
    ):
        with practice.store.write() as connection:
            act(practice, connection, client, now=now)


def ending_wakes(practice: Practice, now: Instant) -> None:
    """What the workflow of endings does."""
    _faults(ending_wake.wake(practice, now, HOLDER)[0].put_off)


def rest(practice: Practice, now: Instant) -> None:
    """Some minutes later: what a kill has put off is due."""
    hand_over_due(practice, now, HOLDER)


Step = tuple[str, Callable[[Practice, Instant], None], Instant]
STEPS: tuple[Step, ...] = (
    ("monday", monday, NOW),
    ("a little later", rest, NOW + 15 * MINUTE),
    ("once more", rest, NOW + 20 * MINUTE),  # what nobody knew of is sent again before it is answered
    ("answers", therapist_says, NOW + 25 * MINUTE),
    ("night", nightly, NOW + 30 * MINUTE),
    ("tuesday", rest, NOW + DAY),
    ("a little later", rest, NOW + DAY + HOUR),
    ("an ending begins", ending_begins, NOW + DAY + 2 * HOUR),
    ("the ending wakes", ending_wakes, NOW + 2 * DAY - 2 * HOUR),
    ("a little later", rest, NOW + 2 * DAY - HOUR),
    # More than a week after all that, so that the count of what was sent is the same whatever a kill put off.
    ("letters", letters, NOW + 9 * DAY),
    ("next morning", rest, NOW + 10 * DAY),
    ("a little later", rest, NOW + 10 * DAY + HOUR),
)


def _faults(errors: list[Exception]) -> None:
    for error in errors:
        raise error


def tell(
    clinic: Clinic, mails: Path, tracer: Tracer | None, asked: Path, first: int = 0, steps: tuple[Step, ...] = STEPS
) -> None:
    """The story from its step `first` on; after each step a person answers what was asked about."""
    for number, (name, step, now) in list(enumerate(steps))[first:]:
        if tracer:
            tracer.step = f"{number} {name}"
        with open_practice(clinic.toml) as practice:
            step(practice, now)
            answer(practice, mails, clinic.pager, now, asked)


def compete(clinic: Clinic) -> None:
    """Monday over and over, while others do the same; ends when a whole round was done, as it does for everybody."""
    with open_practice(clinic.toml) as practice:
        for _ in range(200):
            try:
                monday(practice, NOW)
                return
            except LeaseHeld:
                time.sleep(0.02)
    raise AssertionError("never had a turn")


def answer(practice: Practice, mails: Path, pager: str, now: Instant, asked: Path) -> None:
    """The administrator, asked whether a message arrived, looks into the mailbox, or at the pager, and says so."""
    with practice.store.read() as connection:
        unsure = outbox.listed(connection, [MessageState.unsure])
        rows, notices = table(Message), table(Notice)
        for message in unsure:
            subject = f"message:{message.id}"
            asking = select(notices.c.id).where(notices.c.subject == subject, notices.c.purpose == "handed_over")
            assert connection.execute(asking).first(), "nobody was asked about an unsure message"
        headers = dict(connection.execute(select(rows.c.id, rows.c.message_id_header)).tuples().all())
    if not unsure:
        return
    with practice.store.read() as connection:
        known = [sent.channel for sent in outbox.listed(connection, [MessageState.sent])]
    arrived = {mail.message_id for mail in read_mails(mails)}
    unknown = (
        len(heard(pager)) - known.count(CHANNEL) if pager else 0
    )  # pages that came and of which the ledger does not know
    for message in unsure:
        with asked.open("a") as file:
            file.write(f"{message.id}\n")
        message_id = message_id_of(headers[message.id], smtp_server(practice).sender)
        with practice.store.write() as connection:
            if message_id in arrived if message.channel == MAIL else unknown > 0:
                outbox.move(connection, message.id, MessageState.sent, now)
            else:
                outbox.again(connection, message.id, now)


# ---------------------------------------------------------------- the warm process


def work(do: str, folder: str, port: int, trace: str, mails: str, asked: str, kill: int | None, **given: Any) -> None:
    """One fork's work. `kill` is the number of the point at which it dies."""
    clinic = Clinic.given(folder, port, **given)
    tracer = Tracer(Path(trace), clinic.folder, kill) if trace else None
    if tracer:
        tracer.install()
    if "most_bytes" in given:
        # No file may grow beyond: what a full disk is, without one.
        resource.setrlimit(resource.RLIMIT_FSIZE, (given["most_bytes"], resource.RLIM_INFINITY))
    if do == "tell":
        tell(clinic, Path(mails), tracer, Path(asked), given.get("first", 0))
    elif do == "compete":
        compete(clinic)
    elif do == "create":
        open_practice(clinic.toml, create=True).close()
    elif do == "rotate":
        Vault.rotate(clinic.folder / "keys")


def warm(port: int) -> None:
    """Load what is loaded at its first use, so that no fork does; nothing is opened."""
    import alembic.operations
    import alembic.script
    import httpx
    import icalendar

    open_channel("warm", smtp_url(SmtpServer("127.0.0.1", port, Tls.none, "alerts@example.org")))
    open_channel("warm", "json://127.0.0.1")
    whole_metadata()
    assert alembic.operations
    assert alembic.script
    assert httpx
    assert icalendar
    assert threading.active_count() == 1, "a fork would lose the other threads"


if __name__ == "__main__":
    warm(25)
    forge(work)
