"""The story that is killed: one practice, one week's news, and all that follows, by the functions that the reactor calls.

`python -m tests.faults.story` is the warm process that tells it, in a fork for each telling (see kills.py).
"""

import resource
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from integrations import answering, ending, ending_wake
from integrations.delivery import smtp_server
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
from models.instants import DAY, HOUR, Instant, instant_of, wall_of
from models.invitations import Wanted
from models.notices import Message, MessageState, Notice
from models.people import Client
from tests.faults.kills import Tracer, forge

NOW = instant_of(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))  # a Monday in working hours
BEFORE = NOW - 3 * DAY
ZONE = "Europe/Berlin"
MINUTE = 60
HOLDER, BY = "story", "therapist:T1"


# ---------------------------------------------------------------- the practice, and what happens to it


@dataclass(frozen=True)
class Clinic:
    """A practice's folder and what it meets outside: the mail server's port, a calendar's address, a database."""

    folder: Path
    port: int
    web: str = ""
    url: str = ""

    @property
    def toml(self) -> Path:
        return self.folder / "practice.toml"

    def write(self) -> None:
        """Settings and sources as they stand before the story. A calendar that is read by address lies here as well."""
        (self.folder / "exports").mkdir(parents=True)
        first = f'url = "{self.web}"' if self.web else 'path = "t1.ics"'
        self.toml.write_text(
            f"""
[practice]
name = "Northside"
zone = "{ZONE}"
[store]
url = "{self.url}"
[mail]
host = "127.0.0.1"
port = {self.port}
sender = "alerts@example.org"
[admin]
email = "admin@example.org"
[policy]
speak = "at_once"
ending_confirmed_by_peer = "T2"
[[source]]
name = "records"
kind = "records"
path = "exports"
[[source]]
name = "cal-t1"
kind = "calendar"
{first}
therapist = "T1"
[[source]]
name = "cal-t2"
kind = "calendar"
path = "t2.ics"
therapist = "T2"
"""
        )
        self._export("therapists", "id,name,email", ["T1,Dr K,k@example.org", "T2,Dr L,l@example.org"])
        self._export("clients", "id,name,therapist,status,intake", CLIENTS)
        self._export("appointments", "id,client,therapist,start,minutes,status", self._attended())
        self._export("goals", GOALS, ["G1,1002,Wieder zur Chorprobe gehen,2026-10-05,in-progress,,2026-11-02"])
        self._export("scores", SCORES, ["S1,1002,SRS,2026-11-09 10:00,38"])
        self.calendar(1, [(f"next{c}", NOW + days * DAY, c) for c, days in (("1001", 4), ("1003", 3), ("1005", 2))])
        self.calendar(2, [("next1004", NOW + 3 * DAY, "1004")])

    def news(self) -> None:
        """Over the weekend: 1001 and 1005 cancelled, 1002 booked, 1006 came new, a row of 1003 is broken, a calendar is gone; the goal
        of 1002 is marked as getting worse and has another beside it, and their last rating is low."""
        self.calendar(1, [(f"next{c}", NOW + days * DAY, c) for c, days in (("1002", 5), ("1003", 3))])
        (self.folder / "t2.ics").unlink()
        self._export("clients", "id,name,therapist,status,intake", [*CLIENTS, "1006,Fatma Öz,T1,intake,2026-11-20"])
        self._export(
            "appointments",
            "id,client,therapist,start,minutes,status",
            [*self._attended(), "late,1003,T1,2026-11-31 10:00,50,attended"],
        )
        worse = "G1,1002,Wieder zur Chorprobe gehen,2026-10-05,worsening,2026-11-22,2026-11-02"
        self._export("goals", GOALS, [worse, "G2,1002,Mit Jürgen reden,2026-11-22,in-progress,,"])
        self._export("scores", SCORES, ["S1,1002,SRS,2026-11-09 10:00,38", "S2,1002,SRS,2026-11-22 10:00,31"])

    def calendar(self, therapist: int, booked: list[tuple[str, Instant, str]]) -> None:
        """A therapist's calendar: entry, instant and client of each appointment ahead."""
        events = [
            f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID={ZONE}:{_digits(at)}\r\n"
            f"DURATION:PT50M\r\nSUMMARY:Session {NAMES[client]}\r\nEND:VEVENT\r\n"
            for uid, at, client in booked
        ]
        text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\n" + "".join(events) + "END:VCALENDAR\r\n"
        (self.folder / f"t{therapist}.ics").write_text(text, encoding="utf-8", newline="")

    def _export(self, form: str, header: str, rows: list[str]) -> None:
        (self.folder / "exports" / f"{form}.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")

    def _attended(self) -> list[str]:
        weeks = {"1001": (9, 8, 7, 6), "1002": (12, 11, 10), "1003": (5, 4, 3), "1004": (4, 3, 2), "1005": (8, 7, 6)}
        return [
            f"{client}-{week},{client},{'T2' if client == '1004' else 'T1'},"
            f"{wall_of(NOW - week * 7 * DAY, ZONE)[:16].replace('T', ' ')},50,attended"
            for client, some in weeks.items()
            for week in some
        ]


NAMES = {"1001": "Zoë Ångström", "1002": "Ünal Çelik", "1003": "Cara Gül", "1004": "Dörte Weiß", "1005": "Elif Şahin"}
GOALS = "id,client,goal,set,achievement,achievement date,reviewed"
SCORES = "id,client,measure,taken,score"
CLIENTS = [f"{id},{name},{'T2' if id == '1004' else 'T1'},active,2026-01-05" for id, name in NAMES.items()]


def _digits(at: Instant) -> str:
    return wall_of(at, ZONE).replace("-", "").replace(":", "")


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
            answer(practice, mails, now, asked)


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


def answer(practice: Practice, mails: Path, now: Instant, asked: Path) -> None:
    """The administrator, asked whether a message arrived, looks into the mailbox and says so."""
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
    arrived = {mail.message_id for mail in read_mails(mails)}
    for message in unsure:
        with asked.open("a") as file:
            file.write(f"{message.id}\n")
        message_id = message_id_of(headers[message.id], smtp_server(practice).sender)
        with practice.store.write() as connection:
            if message_id in arrived:
                outbox.move(connection, message.id, MessageState.sent, now)
            else:
                outbox.again(connection, message.id, now)


# ---------------------------------------------------------------- the warm process


def work(do: str, folder: str, port: int, trace: str, mails: str, asked: str, kill: int | None, **given: Any) -> None:
    """One fork's work. `kill` is the number of the point at which it dies."""
    clinic = Clinic(Path(folder), port, given.get("web", ""), given.get("url", ""))
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
    whole_metadata()
    assert alembic.operations
    assert alembic.script
    assert httpx
    assert icalendar
    assert threading.active_count() == 1, "a fork would lose the other threads"


if __name__ == "__main__":
    warm(25)
    forge(work)
