"""`slots`: when a therapist is free, and which of these times suit a client."""

from typing import Annotated

import typer

from integrations import scheduling
from integrations.practice import Practice
from integrations.store import people
from models.errors import UsageError
from models.instants import DAY, Instant, day_of, start_of, utc_text
from models.voice import Voice
from tending.commands.common import client_of, day_from, now, opened, therapist_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import columns, moment, say, show_json

MOST = 50
FARTHEST = 2 * 366 * DAY
"""No appointment is looked for or made farther ahead; seconds."""


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(slots)


def slots(
    therapist: Annotated[str, typer.Argument(metavar="THERAPIST", help="The therapist's id, such as T1.")],
    client: Annotated[
        str,
        typer.Option(
            "--client", metavar="CODE", help="Fit this client's rhythm, weekday and hour.", show_default=False
        ),
    ] = "",
    since: Annotated[
        str, typer.Option("--from", metavar="DATE", help="From this day on; else from now.", show_default=False)
    ] = "",
    count: Annotated[int, typer.Option("--count", metavar="N", help="How many times to propose.")] = 5,
    minutes: Annotated[
        int | None,
        typer.Option("--minutes", metavar="N", help="How long; else as [invitations] says.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Times at which a therapist is free.

    Inside their working hours, less appointments, other entries of their calendars, leave and public holidays. With a
    client, one after another in the client's rhythm, each with what speaks for it. Changes nothing.
    """
    at = now()
    if not 1 <= count <= MOST:
        raise UsageError(f"Between 1 and {MOST} times are proposed at once.")
    with opened(practice) as here, here.store.read() as connection:
        whose = therapist_of(connection, therapist)
        who = client_of(connection, client) if client else None
        zone = people.zone_of(connection, whose) or here.zone
        if who is not None and who.died:
            raise UsageError("The client has died; no time is looked for.")
        begin = _first_instant(since, zone, at)
        length = length_of(here, minutes)
        found = scheduling.slots(
            here,
            connection,
            whose,
            at,
            since=begin,
            count=count,
            minutes=length,
            client_id=who.id if who else None,
        )
        voice = Voice(found.zone, here.settings.practice.locale, at)
    if as_json:
        show_json(
            {
                "therapist": whose,
                "client": who.code if who else None,
                "zone": found.zone,
                "rhythm_days": round(found.rhythm_days, 1) or None,
                "usual": str(found.usual) if found.usual else None,
                "calendar_read": scheduling.is_read(here, whose),
                "slots": [
                    {"start": utc_text(p.start), "end": utc_text(p.end), "reason": p.reason} for p in found.proposals
                ],
            }
        )
        return
    if who:
        often = f"about every {round(found.rhythm_days)} days"
        say(f"{who.code} comes {often}, {f'usually {found.usual}' if found.usual else 'at no usual time'}.")
    if not scheduling.is_read(here, whose):
        say(f"No calendar of {whose} is read; free means that the records show nothing.")
    columns([(moment(voice, p.start), p.reason) for p in found.proposals])
    if len(found.proposals) < count:
        missing = "No time" if not found.proposals else "No further time"
        say(f"{missing} is free in the next months; see leave, working hours and calendars.")


def _first_instant(text: str, zone: str, at: Instant) -> Instant:
    if not text:
        return at
    day = day_from(text)
    if day < day_of(at, zone):
        raise UsageError("That day has passed; name one that lies ahead, or leave --from away for now.")
    if day > day_of(at + FARTHEST, zone):
        raise UsageError("That day is more than two years ahead; correct it.")
    return max(at, start_of(day, zone))


def length_of(here: Practice, minutes: int | None) -> int:
    """So many minutes, or as the settings say. Raises UsageError for what is no appointment's length."""
    if minutes is None:
        return here.settings.invitations.minutes
    if not 5 <= minutes <= 480:
        raise UsageError("An appointment lasts between 5 and 480 minutes.")
    return minutes
