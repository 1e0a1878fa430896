"""Status words of record systems and what each says about an appointment or a client."""

from collections.abc import Mapping as Table
from dataclasses import dataclass

from models.entries import Achievement, Attendance, CancelledBy, ClientStatus, GoalStatus, Plan
from models.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Status:
    """What a status word says. `presumed`: a word that the system writes by itself, believed only after some days."""

    plan: Plan
    attendance: Attendance = Attendance.unknown
    cancelled_by: CancelledBy | None = None
    presumed: bool = False


PROPOSED = Status(Plan.proposed)
BOOKED = Status(Plan.booked)
ATTENDED = Status(Plan.booked, Attendance.attended)
PRESUMED = Status(Plan.booked, Attendance.attended, presumed=True)
NO_SHOW = Status(Plan.booked, Attendance.no_show)
CANCELLED = Status(Plan.cancelled, cancelled_by=CancelledBy.unknown)
BY_CLIENT = Status(Plan.cancelled, cancelled_by=CancelledBy.client)
BY_PRACTICE = Status(Plan.cancelled, cancelled_by=CancelledBy.practice)

OWN = {
    "proposed": PROPOSED,
    "tentative": PROPOSED,
    "booked": BOOKED,
    "confirmed": BOOKED,
    "scheduled": BOOKED,
    "attended": ATTENDED,
    "presumed attended": PRESUMED,
    "no show": NO_SHOW,
    "missed": NO_SHOW,
    "cancelled": CANCELLED,
    "cancelled by client": BY_CLIENT,
    "late cancelled": BY_CLIENT,
    "cancelled by practice": BY_PRACTICE,
}

# Show stands on every row nobody has touched; Cancelled is the client's, since the clinician's has its own word.
SIMPLEPRACTICE = {
    "show": PRESUMED,
    "no show": NO_SHOW,
    "cancelled": BY_CLIENT,
    "late cancelled": BY_CLIENT,
    "clinician cancelled": BY_PRACTICE,
}

# Clinics on Jane mark a late cancellation as no show; the word alone does not tell which it was.
JANE = {
    "booked": BOOKED,
    "arrived": ATTENDED,
    "no show": NO_SHOW,
    "late cancel": BY_CLIENT,
    "cancelled": CANCELLED,
    "deleted": CANCELLED,
}

CLINIKO = {
    "booked": BOOKED,
    "pending": BOOKED,
    "arrived": ATTENDED,
    "patient arrived": ATTENDED,
    "did not arrive": NO_SHOW,
    "dna": NO_SHOW,
    "cancelled": CANCELLED,
    "deleted": CANCELLED,
}

VOCABULARIES: dict[str, dict[str, Status]] = {
    "own": OWN,
    "simplepractice": SIMPLEPRACTICE,
    "jane": JANE,
    "cliniko": CLINIKO,
}

CLIENT_WORDS = {
    "intake": ClientStatus.intake,
    "new": ClientStatus.intake,
    "prospect": ClientStatus.intake,
    "prospective": ClientStatus.intake,
    "waitlist": ClientStatus.intake,
    "active": ClientStatus.active,
    "current": ClientStatus.active,
    "ended": ClientStatus.ended,
    "inactive": ClientStatus.ended,
    "archived": ClientStatus.ended,
    "closed": ClientStatus.ended,
    "discharged": ClientStatus.ended,
}

# FHIR's words of Goal.lifecycleStatus and those that practices write instead.
GOAL_WORDS = {
    "proposed": GoalStatus.proposed,
    "planned": GoalStatus.proposed,
    "accepted": GoalStatus.proposed,
    "active": GoalStatus.active,
    "open": GoalStatus.active,
    "in progress": GoalStatus.active,
    "on hold": GoalStatus.on_hold,
    "paused": GoalStatus.on_hold,
    "completed": GoalStatus.completed,
    "achieved": GoalStatus.completed,
    "met": GoalStatus.completed,
    "done": GoalStatus.completed,
    "cancelled": GoalStatus.cancelled,
    "rejected": GoalStatus.cancelled,
    "dropped": GoalStatus.cancelled,
    "discontinued": GoalStatus.cancelled,
    "entered in error": GoalStatus.cancelled,
}

CAPACITY_WORDS = {
    "open": "open",
    "yes": "open",
    "accepting": "open",
    "waiting": "waiting",
    "waiting list": "waiting",
    "waitlist": "waiting",
    "full": "full",
    "no": "full",
    "closed": "full",
}

# Only what a provider says; that we asked to cancel is ours to say.
NEWS_WORDS = {
    "accepted": "accepted",
    "declined": "declined",
    "rejected": "declined",
    "full": "full",
    "no capacity": "full",
    "booked": "booked",
    "scheduled": "booked",
    "rescheduled": "booked",
    "missed": "missed",
    "no show": "missed",
    "visit cancelled": "visit-cancelled",
    "seen": "seen",
    "attended": "seen",
    "under way": "under-way",
    "in progress": "under-way",
    "finished": "finished",
    "completed": "finished",
    "cancel confirmed": "cancel-confirmed",
    "cancelled": "cancel-confirmed",
}

# FHIR's words of Goal.achievementStatus, and the plain ones beside them.
ACHIEVEMENT_WORDS = {
    "in progress": Achievement.in_progress,
    "improving": Achievement.improving,
    "worsening": Achievement.worsening,
    "no change": Achievement.no_change,
    "unchanged": Achievement.no_change,
    "achieved": Achievement.achieved,
    "met": Achievement.achieved,
    "sustaining": Achievement.sustaining,
    "not achieved": Achievement.not_achieved,
    "not met": Achievement.not_achieved,
    "no progress": Achievement.no_progress,
    "not attainable": Achievement.not_attainable,
}

WHOSE_WORDS = {"client": True, "own": True, "own words": True, "therapist": False, "practice": False}


def plain(word: str) -> str:
    """A word without case, hyphens and double spaces (`No-Show` is `no show`), in one spelling of cancelled."""
    return " ".join("".join(c if c.isalnum() else " " for c in word.casefold()).split()).replace(
        "canceled", "cancelled"
    )


def appointment_words(vocabulary: str, more: Table[str, str]) -> dict[str, Status]:
    """The words of a vocabulary and what the practice adds, each said in our own words. Raises SettingsError."""
    if vocabulary not in VOCABULARIES:
        raise SettingsError(f"The setting statuses names no known vocabulary; write one of: {', '.join(VOCABULARIES)}.")
    added = {}
    for word, meaning in more.items():
        if plain(meaning) not in OWN:
            raise SettingsError(f"The setting status_words gives an unknown meaning; write one of: {', '.join(OWN)}.")
        added[plain(word)] = OWN[plain(meaning)]
    return VOCABULARIES[vocabulary] | added


def client_words(more: Table[str, str]) -> dict[str, ClientStatus]:
    """The words for where a client's care stands, with what the practice adds. Raises SettingsError."""
    added = {}
    for word, meaning in more.items():
        if plain(meaning) not in list(ClientStatus):
            raise SettingsError(
                f"The setting client_status_words gives an unknown meaning; write one of: {', '.join(ClientStatus)}."
            )
        added[plain(word)] = ClientStatus(plain(meaning))
    return CLIENT_WORDS | added
