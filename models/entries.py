"""What sources say, as it is read: one entry of each kind, what could not be understood, and the reading that carries them."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from models.instants import Instant


class Plan(StrEnum):
    """Whether an appointment is meant to happen. Only a person's act makes it booked; the tail of an endless series is proposed."""

    proposed = "proposed"
    booked = "booked"
    cancelled = "cancelled"


class Attendance(StrEnum):
    """Whether a participant came; FHIR's words are used only at the border."""

    attended = "attended"
    no_show = "no_show"
    unknown = "unknown"


class CancelledBy(StrEnum):
    client = "client"
    practice = "practice"
    unknown = "unknown"


class ClientStatus(StrEnum):
    """Where a client's care stands in the record system."""

    intake = "intake"
    active = "active"
    ended = "ended"


@dataclass(frozen=True, slots=True)
class AppointmentEntry:
    """One appointment as one source tells it.

    `id` is the source's own, unique in the source; an occurrence of a series is `UID#<instant of its recurrence id>`, and `group`
    its UID. `wall` and `zone` are as meant by the writer; `start` and `end` the instants that follow. `client_ids` are ids or codes
    exactly as the source writes them; `title` is text in which a name may be found (identity: sealed on arrival, never logged).
    `mails` are the addresses of those invited, where they are asked for: only their keyed hashes are kept.
    `said_at` is the source's own time stamp of this version, if it has one; `sequence` its revision.
    """

    id: str
    wall: str
    zone: str
    start: Instant
    end: Instant
    plan: Plan = Plan.booked
    attendance: Attendance = Attendance.unknown
    cancelled_by: CancelledBy | None = None
    client_ids: tuple[str, ...] = ()
    therapist_id: str | None = None
    title: str = ""
    group: str = ""
    said_at: Instant | None = None
    sequence: int = 0
    mails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClientEntry:
    """One client as a record system tells it. Days are calendar days; `name` and `contact` are identity."""

    id: str
    name: str
    therapist_id: str | None = None
    status: ClientStatus = ClientStatus.active
    intake_on: date | None = None
    ended_on: date | None = None
    died_on: date | None = None
    died: bool = False
    paused_until: date | None = None
    paused: bool = False
    opted_out: bool = False
    site: str = ""
    code: str | None = None
    contact: str = ""
    said_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class TherapistEntry:
    """One therapist. `email` is where alerts go; `zone` empty means the practice's."""

    id: str
    name: str
    email: str = ""
    zone: str = ""
    site: str = ""
    supervisor_id: str | None = None
    started_on: date | None = None
    said_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class BreakEntry:
    """A planned break of one client, both days included."""

    id: str
    client_id: str
    from_on: date
    to_on: date
    said_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class LeaveEntry:
    """A therapist's leave, both days included; `cover_id` is who stands in."""

    id: str
    therapist_id: str
    from_on: date
    to_on: date
    cover_id: str | None = None
    said_at: Instant | None = None


class Achievement(StrEnum):
    """How far a goal is, in FHIR's words (Goal.achievementStatus)."""

    in_progress = "in-progress"
    improving = "improving"
    worsening = "worsening"
    no_change = "no-change"
    achieved = "achieved"
    sustaining = "sustaining"
    not_achieved = "not-achieved"
    no_progress = "no-progress"
    not_attainable = "not-attainable"


class GoalStatus(StrEnum):
    """Whether a goal is still worked at, in FHIR's words (Goal.lifecycleStatus)."""

    proposed = "proposed"
    active = "active"
    on_hold = "on-hold"
    completed = "completed"
    cancelled = "cancelled"


@dataclass(frozen=True, slots=True)
class GoalEntry:
    """One goal of one client. `title` is the client's own words (identity: sealed, shown on the client's page alone); of target, measure
    and whose words it is only whether they are given is kept. `reviewed_on` is when it was last looked at together."""

    id: str
    client_id: str
    title: str = ""
    set_on: date | None = None
    status: GoalStatus = GoalStatus.active
    target_on: date | None = None
    reviewed_on: date | None = None
    achievement: Achievement = Achievement.in_progress
    achievement_on: date | None = None
    has_target: bool = False
    has_measure: bool = False
    own_words: bool = False
    said_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class ScoreEntry:
    """One score of one client: `measure` is a name of models.measures, `value` in its range (None where only an answer is known).

    `risk` is the answer that asks for safety where the measure has one: PHQ-9's item 9 (0 to 3), or 1 for a positive C-SSRS
    and 0 for a negative one; None where it was not seen. `at` is the start of the day where no time is known.
    """

    id: str
    client_id: str
    measure: str
    at: Instant
    value: float | None = None
    risk: int | None = None
    said_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class HoldEntry:
    """Time on a waiting list, both days included, open while `to_on` is None: it does not count as time without contact."""

    id: str
    client_id: str
    from_on: date
    to_on: date | None = None
    said_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class BusyEntry:
    """Whole days that a calendar shows as taken, both included: nothing else is read of such an entry, and it concerns no client."""

    id: str
    therapist_id: str | None
    from_on: date
    to_on: date
    said_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """One provider of the directory to whom clients may be referred. `name`, `address`, `phone` and `email` are sealed here; the lists
    hold words in small letters; `capacity` is one of models.directory.CAPACITY, empty where nobody said."""

    id: str
    name: str
    place: str
    specialty: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    insurer: tuple[str, ...] = ()
    telehealth: bool = False
    address: str = ""
    phone: str = ""
    email: str = ""
    capacity: str = ""
    verified_on: date | None = None
    said_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class ReferralNewsEntry:
    """What a provider told of a referral: `word` of models.referral_table, `told_at` the start of the day on which it was said, `visit_at`
    that of a visit it names (None: none)."""

    id: str
    client_id: str
    referral: str
    word: str
    told_at: Instant
    provider_id: str = ""
    visit_at: Instant | None = None
    said_at: Instant | None = None


Entry = (
    AppointmentEntry
    | ClientEntry
    | TherapistEntry
    | BreakEntry
    | LeaveEntry
    | GoalEntry
    | ScoreEntry
    | HoldEntry
    | BusyEntry
    | ProviderEntry
    | ReferralNewsEntry
)


@dataclass(frozen=True, slots=True)
class Reject:
    """Input that could not be understood: where it stands, why, and what mends it. `raw` is kept encrypted, shown only audited.

    `reason` is a short stable code (`bad-date`), `sentence` names file, row, column and remedy and holds no cell content.
    `client_ids`, `titles` and `therapist_id` say whom it concerns as far as that could still be told, in the words in which an entry says
    it, so that rules of absence about these clients wait. `kind` is what the input would have been, where that is known: without an
    `entry_id` it may be any missing entry of that kind.
    """

    place: str
    reason: str
    sentence: str
    raw: bytes
    entry_id: str = ""
    client_ids: tuple[str, ...] = ()
    kind: str = ""
    titles: tuple[str, ...] = ()
    therapist_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One complete look at a source.

    `kinds` are the kinds of entry that were read completely (`appointment`, `client`, ...): only within them does absence mean
    anything, and for appointments only inside [window_from, window_to). `dropped` counts cells left at the border, by column name.
    `fingerprint` is a hash of the bytes read; equal fingerprints mean that nothing changed.
    """

    entries: list[Entry] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    kinds: frozenset[str] = frozenset()
    window_from: Instant = 0
    window_to: Instant = 0
    dropped: dict[str, int] = field(default_factory=dict)
    fingerprint: str = ""


KIND_OF: dict[type, str] = {
    AppointmentEntry: "appointment",
    ClientEntry: "client",
    TherapistEntry: "therapist",
    BreakEntry: "break",
    LeaveEntry: "leave",
    GoalEntry: "goal",
    ScoreEntry: "score",
    HoldEntry: "hold",
    BusyEntry: "busy",
    ProviderEntry: "provider",
    ReferralNewsEntry: "referral",
}
