"""Another story that is killed: two endings, one from its start to its close, one withdrawn, with all that goes to calendars.

`python -m tests.faults.ending_story` is the warm process that tells it, in a fork for each telling (see kills.py).
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import icalendar
from sqlalchemy import select

from integrations import ending, ending_schedule, ending_wake
from integrations.messages.mailbox import read_mails
from integrations.practice import Practice, open_practice
from integrations.store import arming
from integrations.store.tables import table
from integrations.store.terminations import Start
from integrations.syncing import sync_sources
from models.ending_acts import What
from models.errors import UsageError
from models.instants import DAY, HOUR, Instant, instant_of, local
from models.invitations import Invitation
from models.people import Client
from tests.faults import story
from tests.faults.clinic import BEFORE, CLIENTS, NOW, ZONE, Clinic
from tests.faults.kills import Tracer, forge
from tests.faults.story import HOLDER, MINUTE, Step, rest, warm

GOES, STAYS = "1001", "1003"  # whose ending is closed, and whose is withdrawn
T1, T2 = "therapist:T1", "therapist:T2"
ENTERED, LATER, LAST = NOW + DAY, NOW + 9 * DAY, NOW + 40 * DAY


def prepare(clinic: Clinic) -> None:
    """A practice that reads and sends; T2 confirms what T1 begins. One of T1's clients has an appointment ahead."""
    clinic.write()
    clients = [f"{row},{row[:4]}@example.net" for row in CLIENTS]
    header = "id,name,therapist,status,intake,contact"
    (clinic.folder / "exports" / "clients.csv").write_text("\n".join([header, *clients]) + "\n", encoding="utf-8")
    clinic.calendar(1, [(f"next{GOES}", NOW + 4 * DAY, GOES)])
    with open_practice(clinic.toml, create=True) as practice:
        sync_sources(practice, practice.settings.source, BEFORE, HOLDER)
        ending_wake.wake(practice, BEFORE, HOLDER)


# ---------------------------------------------------------------- what people and the workflow do


def begin(practice: Practice, now: Instant) -> None:
    """It is armed; T1 begins two endings, and T2 confirms them."""
    if not arming.armed(practice.store, practice.data):
        arming.arm(practice.store, practice.data, "admin", now)
    for number in (GOES, STAYS):
        with practice.store.write() as connection:
            client = id_of(practice, number)
            asked = Start("poor-fit", "no", careful=False)
            ending.begin(practice, connection, client, asked, T1, now, act_id=f"E{number}")
        say(practice, number, What.confirmed, now + MINUTE, by=T2, personal="no")


def wake(practice: Practice, now: Instant) -> None:
    """Sources are read, and the workflow wakes up."""
    _, faults = sync_sources(practice, practice.settings.source, now, HOLDER)
    assert not faults
    looked, _ = ending_wake.wake(practice, now, HOLDER)
    assert not looked.put_off


def entered(practice: Practice, now: Instant) -> None:
    """T1's calendar takes the invitations in; after that the client of the first ending is told of them, by a person's word."""
    calendar(practice, {})
    wake(practice, now)
    tell_client(practice, GOES, now + MINUTE)
    tell_client(practice, STAYS, now + MINUTE)
    rest(practice, now + MINUTE)


def moved(practice: Practice, now: Instant) -> None:
    """A week later T1 has moved one of them by two days and taken another one out."""
    calendar(practice, {GOES: (2 * DAY, None)})
    wake(practice, now)


def anew(practice: Practice, now: Instant) -> None:
    """A person proposes what is lacking, and the client hears what has changed."""
    with practice.store.write() as connection:
        ending_schedule.propose(practice, connection, id_of(practice, GOES), T1, now, act_id="again")
    tell_client(practice, GOES, now)
    wake(practice, now)


def withdrawn(practice: Practice, now: Instant) -> None:
    """The other ending is withdrawn, and its client hears that what they were told of is off."""
    say(practice, STAYS, What.withdrawn, now)
    tell_client(practice, STAYS, now)
    wake(practice, now)


def closed(practice: Practice, now: Instant) -> None:
    """Everything took place; step after step is done, and the ending is closed."""
    seen(practice)
    wake(practice, now)
    for step in ("explain", "process", "referral", "last", "letter", "records"):
        if step == "referral":
            say(practice, GOES, What.could_not, now, step=step, reason="declined")
        else:
            say(practice, GOES, What.done, now, step=step)
    say(practice, GOES, What.closed, now)
    wake(practice, now)


PARTS: tuple[Step, ...] = (
    ("begin", begin, NOW),
    ("first wake-up", wake, NOW + HOUR),
    ("entered", entered, ENTERED),
    ("moved", moved, LATER),
    ("proposed anew", anew, LATER + HOUR),
    ("withdrawn", withdrawn, LATER + 2 * HOUR),
    ("closed", closed, LAST),
)
STEPS: tuple[Step, ...] = tuple(
    step
    for name, what, now in PARTS
    # What a kill has put off is due some minutes later, and once more after a person was asked about it.
    for step in ((name, what, now), *(("a little later", rest, now + more * MINUTE) for more in (15, 30)))
)
EACH = len(STEPS) // len(PARTS)


# ---------------------------------------------------------------- how they do it, as often as they like


def id_of(practice: Practice, number: str) -> int:
    rows = table(Client)
    with practice.store.read() as connection:
        found = connection.execute(select(rows.c.id, rows.c.sealed)).all()
    return next(row.id for row in found if practice.vault.open(row.sealed)["id"] == number)


def say(practice: Practice, number: str, what: What, now: Instant, **said: Any) -> None:
    """What was said before a kill is refused the second time, in a sentence."""
    by, act_id = said.pop("by", T1), f"{number} {what} {said.get('step', '')}"
    with suppress(UsageError), practice.store.write() as connection:
        ending.say(practice, connection, id_of(practice, number), what, by, now, act_id=act_id, **said)


def tell_client(practice: Practice, number: str, now: Instant) -> None:
    """A person says yes to all that the client can be told."""
    client = id_of(practice, number)
    with practice.store.write() as connection:
        found = ending_schedule.planned_for(practice, connection, client, now)
        assert found is not None
        for news in found.news:
            ending_schedule.tell_client(practice, connection, client, found.stands.id, news, "lund", now)


def invited(practice: Practice, mails: Path) -> dict[str, list[tuple[str, str]]]:
    """By client the entries (UID, text) that invitations to T1 asked for, in order of their start."""
    rows = table(Invitation)
    with practice.store.read() as connection:
        whose = {row.uid: row.client_id for row in connection.execute(select(rows.c.uid, rows.c.client_id))}
    number = {id_of(practice, one): one for one in (GOES, STAYS)}
    found: dict[str, dict[str, tuple[Instant, str, str]]] = {GOES: {}, STAYS: {}}
    for to, content, event in itip(mails):
        uid = str(event["UID"])
        if to == "k@example.org" and event["STATUS"] == "CONFIRMED":
            text = re.findall(r"BEGIN:VEVENT.*?END:VEVENT\r\n", content, re.DOTALL)[0]
            text = text.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED")  # T1 accepts whatever comes
            found[number[whose[uid]]][uid] = (instant_of(event.start), uid, text)
    return {one: [(uid, text) for _, uid, text in sorted(entries.values())] for one, entries in found.items()}


def itip(mails: Path) -> list[tuple[str, str, Any]]:
    """Every invitation that arrived: to whom, its text, and its one event."""
    return [
        (
            mail.to,
            part.get_payload(decode=True).decode(),
            icalendar.Calendar.from_ical(part.get_payload(decode=True)).walk("VEVENT")[0],
        )
        for mail in read_mails(mails)
        for part in mail.parsed.walk()
        if part.get_content_type() == "text/calendar"
    ]


def calendar(practice: Practice, changed: dict[str, tuple[int | None, ...]]) -> None:
    """T1's calendar with what was invited; `changed` says by client by how many seconds the first, second, ... was moved (None: taken
    out)."""
    folder = practice.data.parent
    own = (folder / "t1.ics").read_text(encoding="utf-8")
    events = re.findall(rf"BEGIN:VEVENT\r?\nUID:next{GOES}.*?END:VEVENT\r?\n", own, re.DOTALL)
    for number, entries in invited(practice, folder.parent / "mails").items():
        moves = changed.get(number, ())
        for n, (_, text) in enumerate(entries):
            by = moves[n] if n < len(moves) else 0
            if by is not None:
                events.append(_later(text, by))
    whole = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\n" + "".join(events) + "END:VCALENDAR\r\n"
    _written(folder / "t1.ics", whole)


def _written(path: Path, text: str) -> None:
    """A file of a source, which is as old whenever it is told again."""
    path.write_text(text, encoding="utf-8", newline="")
    os.utime(path, (BEFORE, BEFORE))


def _later(event: str, seconds: int) -> str:
    for digits in re.findall(r"DT(?:START|END):(\w+)", event) if seconds else ():
        start = instant_of(icalendar.vDatetime.from_ical(digits)) + seconds
        event = event.replace(digits, local(start, "UTC").strftime("%Y%m%dT%H%M%SZ"))
    return event


def seen(practice: Practice) -> None:
    """The record says of every appointment that its calendar shows and that lies behind that it took place."""
    path = practice.data.parent / "exports" / "appointments.csv"
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("since-")]
    starts = [NOW + 4 * DAY, NOW + 13 * DAY, NOW + 20 * DAY]
    new = [f"since-{n},{GOES},T1,{local(start, ZONE):%Y-%m-%d %H:%M},50,attended" for n, start in enumerate(starts)]
    _written(path, "\n".join([*kept, *new]) + "\n")


# ---------------------------------------------------------------- the warm process


def work(do: str, folder: str, port: int, trace: str, mails: str, asked: str, kill: int | None, **given: Any) -> None:
    """One fork's work. `kill` is the number of the point at which it dies."""
    assert do == "tell"
    clinic = Clinic.given(folder, port, **given)
    tracer = Tracer(Path(trace), clinic.folder, kill)
    tracer.install()
    story.tell(clinic, Path(mails), tracer, Path(asked), given["first"], STEPS[: given["last"]])


if __name__ == "__main__":
    warm(25)
    forge(work)
