"""What all commands share: which practice, who asks, when, about whom, and how a code or a day may be written."""

import os
import pwd
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from integrations.practice import Practice, open_practice
from integrations.store import lookups
from models import words
from models.errors import SettingsError, UsageError
from models.instants import FAR, Instant, NoSuchTimeError, at_wall, day_of, end_of, utc_text
from models.settings_source import SourcePart
from models.subjects import code_in
from models.voice import Voice
from tending.commands.options import Given, place
from tending.output import some

FIRST_YEAR, LAST_YEAR = 1900, 2199  # outside of these a year is a slip of the keyboard


@contextmanager
def opened(practice: Path | None) -> Iterator[Practice]:
    """The practice that is meant, open. Raises SettingsError and StoreError."""
    with open_practice(place(practice)) as found:
        Given.data = found.data
        yield found


def now() -> Instant:
    """This moment: asked for once at the start of a command, then passed on."""
    return int(time.time())


def login() -> str:
    """Who acts, for the audit: the login name, and who stands behind it where sudo says so."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"user {os.getuid()}"
    behind = os.environ.get("SUDO_USER", "")
    return f"{behind} as {name}" if behind and behind != name else name


def voice_of(practice: Practice, at: Instant) -> Voice:
    """How the practice's administrator reads instants."""
    return Voice(practice.zone, practice.settings.practice.locale, at)


def cannot_be_said(codes: list[str]) -> str:
    """Of whom silence means nothing, in the middle of a sentence."""
    of = words.counted(len(codes), "client")
    return f"of {of} something cannot be said yet ({some(codes)}): `tending why {codes[0]}` says what it waits for"


def code_from(text: str) -> str:
    """A code as people type it: small letters, without `C-`, O for 0, I or L for 1. Raises UsageError, which does not repeat it."""
    if not (code := code_in(text)):
        raise UsageError(
            "A client code looks like C-7F3K9QX; `tending code` finds it by the clinic's own id or the name."
        )
    return code


def client_of(connection: Connection, text: str) -> lookups.About:
    """The client of a code. Raises UsageError where there is none."""
    code = code_from(text)
    found = lookups.about(connection, code)
    if found is None:
        raise UsageError(f"No client has the code {code}; `tending code` finds one by the clinic's own id or the name.")
    return found


def moment_from(text: str, zone: str, at: Instant) -> Instant:
    """An instant from `2026-11-03` or `2026-11-03T14:30`: a day is meant at its end, today now.

    Raises UsageError for anything else and for what lies ahead.
    """
    try:
        if len(text.strip()) == 10:
            day = date.fromisoformat(text.strip())
            when = at if day == day_of(at, zone) else end_of(day, zone) - 1
        else:
            wall = datetime.fromisoformat(text.strip())
            when = int(wall.timestamp()) if wall.tzinfo else at_wall(wall, zone, strict=True)
    except NoSuchTimeError:
        raise UsageError(f"That time never was in {zone}: clocks went forward over it. Name another.") from None
    except (ValueError, OverflowError):
        raise no_day(text, "A day is written like 2026-11-03, a moment like 2026-11-03T14:30.") from None
    if when > at:
        raise UsageError("That lies ahead; name a day that has been, or none for now.")
    return when


def day_from(text: str) -> date:
    """A day from `2026-11-03`. Raises UsageError that says whether it is written otherwise or there is no such day."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise no_day(text) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise UsageError(f"Nobody means a day in that year; name one from {FIRST_YEAR} to {LAST_YEAR}.")
    return day


def no_day(text: str, otherwise: str = "A day is written like 2026-11-03.") -> UsageError:
    """What is said of a text that is no day: that the calendar has none such where it is written like one, else `otherwise`."""
    if re.match(r"\d{4}-\d{2}-\d{2}(T|\Z)", text.strip(), re.ASCII):
        return UsageError("There is no such day in the calendar, or no such time on it; name another one.")
    return UsageError(otherwise)


def therapist_of(connection: Connection, text: str) -> str:
    """A therapist's reference as the store has it. Raises UsageError listing those there are."""
    known = {*lookups.therapists(connection), *lookups.caseloads(connection)}
    for one in known:
        if one.casefold() == text.strip().casefold():
            return one
    there = ", ".join(sorted(known)) or "none yet"
    raise UsageError(f"No therapist has that id; there are: {there}.")


def source_of(practice: Practice, name: str) -> SourcePart:
    """The source of that name. Raises UsageError listing those there are."""
    try:
        return practice.settings.source_named(name)
    except SettingsError as error:
        raise UsageError(str(error)) from None


def instant_or_none(when: Instant | None) -> str | None:
    """An instant for JSON, ISO text in UTC; None also for one that never comes, such as the end of an open break."""
    return None if when is None or when >= FAR else utc_text(when)


def counted(counts: dict[str, Any]) -> str:
    """`3 active, 1 intake`."""
    return ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items()) or "none"
