"""Thresholds, each with unit, range, reason and basis. What a practice sets is in policy_layers.py."""

import re
from dataclasses import dataclass, field
from typing import Any

OURS = "our choice"
A_THERAPIST = re.compile(r"[\w .@-]{0,40}")  # a therapist's id, or nobody's
UNPUBLISHED = "our choice; no published standard was found"
REVIEW_RULES: dict[str, float] = {
    "none": 0,
    "medicare-php": 30,
    "medicare-iop": 60,
    "ny-599": 90,
    "nj-10-52": 90,
    "ccbhc": 180,
}
"""Review intervals of payers and licensors in days: 42 CFR 424.24(e) and (d), 14 NYCRR 599.10, NJAC 10:52, CCBHC criteria 2023. All
from memory (mark M); New York's is a former one: what is proposed since 2020 (seen, mark V) asks for a first plan in 30 days, no review."""
FIRST_REVIEW: dict[str, float] = {"medicare-php": 18}
"""In how many days such a rule asks for the first look at a goal, where that is sooner: 42 CFR 424.24(e); from memory (mark M)."""
ALLIANCE_RULES: dict[str, tuple[int, str]] = {"1sd": (1, "Strauss"), "2sd": (2, "Stiles")}
"""How many standard deviations below the client's own level an alliance rating lies to count as a fall, and whose rule that is."""


def threshold(default: Any, unit: str, low: Any, high: Any, reason: str, basis: str) -> Any:
    """A policy field. `low` and `high` are included; for words, `low` is the tuple of words that fit, or their pattern, and `high` None."""
    return field(default=default, metadata={"unit": unit, "low": low, "high": high, "reason": reason, "basis": basis})


@dataclass(frozen=True, slots=True)
class Policy:
    """The thresholds that hold for one client. Each field's metadata say unit, range, reason, and where the number comes from."""

    quiet_after_days: float = threshold(
        14, "days", 3, 365, "A client is never called quiet earlier than this after the last appointment.", OURS
    )
    quiet_factor: float = threshold(
        2, "times the client's own rhythm", 1, 12, "Somebody seen monthly is not quiet after three weeks.", OURS
    )
    usual_rhythm_days: float = threshold(
        7,
        "days",
        1,
        180,
        "The rhythm taken for a client with too few appointments to have one.",
        "weekly is usual (Erekson 2015, from memory)",
    )
    rhythm_gaps: int = threshold(
        6, "gaps", 3, 12, "How many of the last gaps make the rhythm; their median counts.", OURS
    )
    agreed_rhythm_days: float = threshold(
        0,
        "days (0: none)",
        0,
        365,
        "A rhythm that was agreed with the client holds instead of the one that shows in their appointments.",
        OURS,
    )
    rhythm_least_gaps: int = threshold(3, "gaps", 1, 12, "With fewer gaps the usual rhythm is taken.", OURS)
    missed_in_a_row: int = threshold(
        2,
        "appointments",
        1,
        10,
        "Appointments that are missed, not those called off, go with leaving; most before the third session.",
        "Xiao et al. 2017 (pst0000103); two in a row: a clinic's published rule",
    )
    not_started_after_days: float = threshold(
        14,
        "days after intake",
        1,
        365,
        "Somebody who asked for help and was not seen waits too long.",
        "NJ 10:52-1.17: intake within 14 days or the third visit",
    )
    unconfirmed_in_a_row: int = threshold(
        3, "appointments", 1, 12, "So many in a row without a mark make the record unsure, not the client.", OURS
    )
    mark_within_days: float = threshold(
        2, "days", 0, 30, "An appointment is given this long to be marked before it counts as unmarked.", OURS
    )
    answer_rests_days: float = threshold(
        90,
        "days",
        7,
        365,
        "What was answered without a day, and is still so, is asked about again after so long; who stays quiet or has not started, after "
        "as long again as it took.",
        OURS,
    )
    goal_by_appointment: int = threshold(
        3, "attended appointments", 1, 12, "By then therapy has a goal that both can name.", OURS
    )
    review_every_days: float = threshold(
        90,
        "days",
        7,
        730,
        "Goals are looked at again together.",
        "progress is reviewed periodically (BACP 2018, 32); 90 days: our choice",
    )
    review_every_appointments: int = threshold(
        10, "attended appointments", 2, 12, "Or after so many appointments, whichever is first.", OURS
    )
    review_rule: str = threshold(
        "none",
        "whose rule",
        tuple(REVIEW_RULES),
        None,
        "A payer's or licensor's interval, if it is shorter; the prompt names it.",
        "the intervals are from memory, New York's a former one: compare them with your own text",
    )
    goal_untouched_days: float = threshold(
        150, "days", 14, 1000, "A goal that nobody has looked at for so long is off track.", OURS
    )
    healthy_in_a_row: int = threshold(
        3, "scores", 2, 12, "So many scores in the healthy range make moving on a thing to talk about.", OURS
    )
    srs_drop: float = threshold(
        1,
        "points",
        0.5,
        40,
        "A session rating that falls by so much is talked about.",
        "discussed from 1 point on; from memory",
    )
    alliance_rule: str = threshold(
        "1sd",
        "rule",
        tuple(ALLIANCE_RULES),
        None,
        "An alliance rating so far below the client's own level is asked about; in standard deviations of that level.",
        "1 SD Strauss, 2 SD Stiles, as in Gumz 2012 (BMC Med Res Methodol 12:10)",
    )
    alliance_least_deviation: float = threshold(
        7,
        "points",
        1,
        24,
        "The deviation between clients: where a client's own ratings lie closer together, this is taken, the stricter of the two.",
        "stricter of the two: Gumz 2012; 7 of 12 to 60 points: about 0.6 a question in published samples, from memory",
    )
    rating_counts_days: float = threshold(
        60, "days", 7, 365, "A rating older than this is no longer asked about.", OURS
    )
    trust_check_by_appointment: int = threshold(
        3,
        "attended appointments",
        1,
        10,
        "By then the client has been asked how it is going.",
        "baseline at sessions 3 to 5 (vendor)",
    )
    later_cancels_in_a_row: int = threshold(
        3,
        "cancellations",
        2,
        6,
        "So many of the client's own cancellations, each with less notice than the one before.",
        OURS,
    )
    ending_confirmed_by_peer: str = threshold(
        "",
        "therapist's id",
        A_THERAPIST,
        None,
        "Who confirms an ending that a therapist without a supervisor begins: a peer, by the id in the therapists file.",
        OURS,
    )
    endings_at_once: int = threshold(
        3, "endings", 1, 50, "A therapist has no more endings going on at once: each of them needs room.", OURS
    )
    ending_process_appointments: int = threshold(
        1, "appointments", 1, 12, "So many appointments give room to process an ending, after it was begun.", OURS
    )
    ending_process_careful: int = threshold(
        2, "appointments", 2, 12, "The same for clients who find rejection hard; never fewer than two.", OURS
    )
    ending_step_days: float = threshold(
        14, "days", 1, 90, "A step of an ending of which nothing was said for so long is asked about.", OURS
    )
    ending_proposal_days: float = threshold(
        3,
        "days",
        1,
        30,
        "So long a therapist has to enter an appointment that was proposed for an ending, before it is asked about or proposed anew.",
        OURS,
    )
    ending_attempts: int = threshold(
        3,
        "attempts",
        2,
        10,
        "So often somebody tries to reach a client who is out of contact, by two means at least, before a closing letter.",
        "several means, each documented (LA County DMH 312.01); three: a clinic's published rule",
    )
    ending_attempt_days: float = threshold(
        14,
        "days",
        1,
        90,
        "So long a client has to answer before the next attempt, and after the last one before the letter.",
        "about two weeks apart: a clinic's published rule",
    )
    climb_to_supervisor_days: float = threshold(
        7, "days", 1, 90, "A prompt that nobody answered for so long goes to the supervisor as well.", OURS
    )
    climb_to_admin_days: float = threshold(
        14, "days", 1, 180, "And after so long the administrator hears that one is unanswered, not what it says.", OURS
    )
    safety_climb_hours: float = threshold(
        4, "hours", 0.25, 48, "A safety notice that nobody answered for so long goes to the next person.", OURS
    )
    new_therapist_days: float = threshold(
        730,
        "days",
        0,
        3650,
        "For so long after their first working day therapists get earlier and kinder prompts: see [policy.new].",
        "trainees' clients leave more often, 26.6 % against 17.2 % (Swift and Greenberg 2012, from memory); two years: our choice",
    )
    referral_first_days: float = threshold(
        7, "days", 1, 180, "So long after a referral was taken up we ask whether it was accepted.", UNPUBLISHED
    )
    referral_second_days: float = threshold(
        14, "days", 1, 180, "So long after a referral was taken up we ask whether a first visit is booked.", UNPUBLISHED
    )
    referral_third_days: float = threshold(
        30,
        "days",
        1,
        365,
        "So long after a referral was taken up we ask whether the first visit took place.",
        UNPUBLISHED,
    )
    referral_fit_days: float = threshold(
        3, "days", 0, 90, "So long after the first visit elsewhere we ask whether it took place and fits.", UNPUBLISHED
    )
    referral_again_days: float = threshold(
        30, "days", 7, 365, "What is still open of a referral after its last question is asked again this often.", OURS
    )
    referral_silent_days: float = threshold(
        45, "days", 7, 365, "Nothing was heard for so long: another of the options is talked about.", OURS
    )
    provider_verified_days: float = threshold(
        180,
        "days",
        7,
        3650,
        "An entry of the provider directory that nobody has checked for so long is asked about.",
        OURS,
    )
    grace_days: float = threshold(
        7, "days", 0, 90, "A finding that was clear for so long and comes back is a new one and may speak again.", OURS
    )
    speak: str = threshold(
        "next_morning",
        "when",
        ("next_morning", "at_once"),
        None,
        "When an ordinary notice is sent: on the recipient's next working morning, or at once inside working hours.",
        OURS,
    )
    leave_waits_days: float = threshold(
        28, "days", 0, 365, "A pause of up to so long, or of twice the client's own rhythm, can be waited for.", OURS
    )
    leave_told_days: float = threshold(
        30,
        "days before a leave",
        0,
        365,
        "Clients know of a therapist's leave or going so long before it.",
        "30 days' notice (Maine licensing, for one class); for everybody: our choice",
    )
    notice_expires_days: float = threshold(
        14,
        "days",
        1,
        90,
        "A finding that is still so after waiting this long for a place in a day is told as one of a number, not by itself.",
        OURS,
    )
    notices_per_day: int = threshold(
        5, "notices", 1, 100, "More ordinary notices than this for one person wait for the next day.", OURS
    )
    work_from: str = threshold(
        "08:00", "local time of the recipient", None, None, "Ordinary messages come inside working hours.", OURS
    )
    work_until: str = threshold(
        "18:00", "local time of the recipient", None, None, "Ordinary messages come inside working hours.", OURS
    )
    buffer_minutes: float = threshold(
        10, "minutes", 0, 120, "So long before and after an appointment no other one is proposed.", OURS
    )
    same_time_minutes: float = threshold(
        15, "minutes", 0, 240, "A calendar entry and a record row so close together are one appointment.", OURS
    )
    vanish_floor: int = threshold(
        5,
        "appointments",
        0,
        1000,
        "Up to so many may vanish from a source at once without a person being asked, unless nothing is left.",
        OURS,
    )
    vanish_share: float = threshold(
        0.2, "share of those ahead", 0, 1, "Or up to this share of the source's future appointments.", OURS
    )
    fresh_for_hours: float = threshold(
        26, "hours", 0.1, 2000, "A source not read for longer cannot refute an absence; rules of absence wait.", OURS
    )

    keep_changes_days: int = threshold(
        30,
        "days",
        1,
        3650,
        "What changed is kept this long after its consequences are recorded and others were told of it.",
        OURS,
    )
    keep_messages_days: int = threshold(
        90,
        "days",
        1,
        3650,
        "The text of a message that was sent is kept this long; that it was sent, and when, stays for good.",
        OURS,
    )


DEFAULT = Policy()
