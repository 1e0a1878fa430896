"""What practice.toml may say of one source, and how a table of it is read: a word that it does not know is refused."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from models.instants import UnknownZoneError, zone
from models.sources import Delivers, PastBooking

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Part(BaseModel):
    """A table of practice.toml: unknown words are refused, so that a typing error never passes for a setting."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def known_zone(value: str) -> str:
    """The name of a zone, or nothing. Raises ValueError for one that nobody knows."""
    try:
        if value:
            zone(value)
    except UnknownZoneError as error:
        raise ValueError(str(error)) from None
    return value


class SourcePart(Part):
    """[[source]]: one calendar or one set of exports."""

    name: Name = Field(description="A short name of your own: small letters, digits, hyphens. It stands in messages.")
    kind: Literal["calendar", "records"] = Field(description="calendar: .ics; records: CSV exports, see forms.md.")
    path: str = Field(default="", description="File or folder, relative to practice.toml.")
    url: str = Field(default="", description="http(s) address of a calendar.")
    url_env: str = Field(
        default="", description="Name of an environment variable that holds the address, for secret addresses."
    )
    therapist: str = Field(default="", description="Whose calendar it is: the id in the therapists file.")
    zone: str = Field(default="", description="For times without a zone; empty: the practice's.")
    delivers: Delivers = Field(
        default=Delivers.snapshot,
        description="What absence means. snapshot: what is missing is gone; window: the same inside the time that is"
        " read; changes: absence means nothing.",
    )
    past_booking: PastBooking = Field(
        default=PastBooking.unknown,
        description="What a past booking without a mark means. unknown: nobody knows; attended: presumed to have taken"
        " place.",
    )
    fresh_for_hours: float | None = Field(
        default=None,
        gt=0,
        le=2000,
        description="After so many hours it is too old to show that nothing is booked; empty: as the policy says.",
    )
    renewed_within_hours: float | None = Field(
        default=None,
        gt=0,
        le=2000,
        description="For a path: if its newest file is older than so many hours, whoever exports it has stopped, and it is"
        " as if it were not read; empty: never, but `tending check` tells of records older than four days.",
    )
    every_minutes: float = Field(default=10, ge=0.02, le=1440, description="How often a running practice reads it.")
    name_pattern: str = Field(
        default="", description="Regular expression whose first group is the client's name in a calendar title."
    )
    columns: dict[str, dict[str, str]] = Field(default_factory=dict, description="form -> our column -> their column.")
    files: dict[str, str] = Field(
        default_factory=dict, description="form -> file name, if not clients.csv and so on; empty: not read."
    )
    statuses: str | dict[str, str] = Field(
        default="own", description="Vocabulary: own, simplepractice, jane, or word = meaning."
    )
    status_words: dict[str, str] = Field(
        default_factory=dict, description="More status words of appointments: word = meaning."
    )
    client_status_words: dict[str, str] = Field(
        default_factory=dict, description="Status words of clients: word = meaning."
    )
    date_order: Literal["auto", "ymd", "dmy", "mdy"] = Field(
        default="auto", description="How 03/04/2026 is meant; auto: as the other dates of the files show, else asked."
    )
    time_of_day: str = Field(default="", description="The time taken for files that hold days only, such as 12:00.")
    default_minutes: int = Field(
        default=50, ge=1, le=1440, description="How long an appointment lasts where no end is given."
    )
    delimiter: str = Field(default="auto", description="What separates columns: one character; auto: found out.")
    encoding: str = Field(default="auto", description="The files' encoding, such as utf-8; auto: found out.")
    ask_about_former: bool = Field(
        default=False,
        description="Only for a work calendar, never a private one: the therapist, and nobody else, is asked about entries"
        " ahead that name by code, id or mail address a client whose care has ended; they are told that it is on.",
    )
    trust_attendance_after_days: float = Field(
        default=3,
        ge=0,
        le=60,
        description="A mark of attendance that the system writes by itself is believed after so many days.",
    )

    _zone = field_validator("zone")(known_zone)

    @field_validator("name_pattern")
    @classmethod
    def _one_group(cls, value: str) -> str:
        try:
            if value and re.compile(value).groups < 1:
                raise ValueError("name_pattern needs one group in parentheses around the name")
        except re.error as error:
            raise ValueError(f"name_pattern is not a regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _one_place(self) -> "SourcePart":
        if sum(map(bool, (self.path, self.url, self.url_env))) != 1:
            raise ValueError("give exactly one of path, url and url_env")
        if self.kind == "records" and not self.path:
            raise ValueError("records are read from a path")
        if self.renewed_within_hours is not None and not self.path:
            raise ValueError("renewed_within_hours is about the files of a path")
        if self.ask_about_former and not (self.kind == "calendar" and self.therapist):
            raise ValueError("ask_about_former is for a calendar whose therapist is named: nobody else is asked")
        return self
