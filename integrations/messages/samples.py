"""Invented facts for every wording, so that it can be read before anything of the kind is ever sent."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from integrations.messages.invitations import OVER, told_when
from models.ending_acts import REASONS, STEPS, State
from models.ending_steps import REASON_WORDS, Reason, Step
from models.habits import question
from models.instants import DAY, HOUR, Instant, at_wall, day_of
from models.rule import Rule, Verdict
from models.rules import all_rules
from models.told import NOT_KNOWN
from models.voice import Voice

CODE = "C-7F3K9QX"
TO_ADMIN = frozenset({"nightly_check", "scores_set_aside", "source_left"})  # who has a terminal, and is named commands
TODAY = frozenset(
    {
        ("safety", "item9"),
        ("safety", "screen"),
        ("risk_unmatched",) * 2,
        ("risk_set_aside",) * 2,
        ("unanswered", "safety"),
    }
)
"""What asks for safety, by folder and file: its mail says that it should be read today."""
PROTOCOL = "Call the client today; the steps stand in the green folder."


def found(at: Instant) -> dict[str, tuple[str, tuple[Any, ...]]]:
    """For each kind of finding a reason and the facts that it might rest on at an instant."""
    return {
        "quiet": ("quiet", (at - 20 * DAY, 7 * DAY, True, True, at - 6 * DAY, NOT_KNOWN)),
        "missed": ("missed", (at - 13 * DAY, at - 6 * DAY)),
        "not_started": ("not_started", (at - 15 * DAY, at - DAY, NOT_KNOWN)),
        "unconfirmed": ("unconfirmed", (at - 16 * DAY, at - 9 * DAY, at - 2 * DAY)),
        "no_goal": ("no_goal", (3, 3, 0)),
        "review_due": ("review_due", ("days", at, at - 90 * DAY, 90, 1, 1, ["measure", "date"])),
        "off_track": ("off_track", ([["worsening", at - 12 * DAY]],)),
        "moving_on": ("goals_met", (2,)),
        "rating": ("fell", (38.5, 36.5, 1, at - DAY)),
        "alliance": ("fell_from_own", (52.0, 43.0, "1sd", 2.0, 7.0, at - DAY)),
        "early_check": ("not_rated_yet", (3, 3)),
        "later_cancels": (
            "later",
            (
                [
                    [at - 21 * DAY, at - 24 * DAY],
                    [at - 14 * DAY, at - 15 * DAY - 6 * HOUR],
                    [at - 7 * DAY, at - 7 * DAY - 5 * HOUR],
                ],
            ),
        ),
        "ending_step": (
            "step_due",
            (REASONS.index(Reason.poor_fit), STEPS.index(Step.process), at - 15 * DAY, at - DAY),
        ),
        "out_of_contact": ("attempt_due", (1, 3, at - 14 * DAY, 1, 0)),
        "referral_follow_up": ("asks", ([[1, 3, 0, at - 9 * DAY, at - 7 * DAY]],)),
        "referral_stuck": ("stuck", ([[1, 1, 1, at - 9 * DAY, at - DAY, 0]],)),
        "item9": ("risk", ([[1, at - 2 * HOUR, at - HOUR]], -1, -1, -1)),
        "screen": ("risk", ([[1, at - 2 * HOUR, at - HOUR]], -1, -1, -1)),
    }


def samples(at: Instant, voice: Voice, protocol: str | None = PROTOCOL) -> Mapping[tuple[str, str], dict[str, Any]]:
    """Facts for every wording, by its folder and file, as they might be at an instant; `protocol` is None where the practice has none."""
    facts: dict[tuple[str, str], dict[str, Any]] = {}
    for rule in all_rules():
        for name, kind in rule.kinds.items():
            place = name if kind.speaks == "weekly_list" else rule.name
            facts[place, name] = _of_kind(rule, name, at, voice) | _beside(rule.name, protocol)
    return facts | {
        ("unanswered", "unanswered"): {"therapist": "Dr Lund (T1)", "since": at - 14 * DAY},
        ("unanswered", "safety"): {"code": CODE, "therapist": "Dr Lund (T1)", "since": at - DAY, "protocol": protocol},
        ("unanswered", "nobody"): {"code": CODE, "therapist": "Dr Lund (T1)"},
        ("risk_unmatched", "risk_unmatched"): {"source": "records", "protocol": protocol},
        ("risk_set_aside", "risk_set_aside"): {"code": CODE, "source": "records", "protocol": protocol},
        ("scores_set_aside", "scores_set_aside"): {"source": "records", "count": 2},
        ("team_week", "team_week"): {
            "therapist": "Dr Lund (T1)",
            "clients": 20,
            "quiet": 2,
            "early_missed": 1,
            "unanswered": 0,
            "codes": CODE,
        },
        ("source_stale", "source_stale"): {
            "source": "calendar-t1",
            "since": at - 3 * DAY,
            "reason": "The file is missing.",
        },
        ("held_vanished", "held_vanished"): {
            "source": "calendar-t1",
            "what": "appointments ahead",
            "vanished": 9,
            "ahead": 12,
        },
        ("source_left", "source_left"): {"source": "calendar-t1"},
        ("former_looked", "former_looked"): {"source": "calendar-t1"},
        ("former_entry", "former_entry"): {
            "source": "calendar-t1",
            "code": CODE,
            "start": at + 3 * DAY,
        },
        ("weekly_line", "weekly_line"): {
            "period_days": 7,
            "clients": 120,
            "open_findings": 1,
            "sent": 5,
            "undelivered": 0,
            "expired": 3,
            "held": 4,
            "late_invitations": 1,
            "set_aside": 2,
            "unread_sources": 0,
        },
        ("delivery_failed", "delivery_failed"): {
            "channel": "mail",
            "messages": 2,
            "since": at - DAY,
            "reason": "It was refused.",
        },
        ("handed_over", "handed_over"): {"channel": "mail", "since": at - DAY, "code": CODE},
        ("nightly_check", "difference"): {"code": CODE, "stored_says": "quiet", "fresh_says": "nothing"},
        ("nightly_check", "more"): {"count": 7},
        ("nightly_check", "failed"): {"code": CODE},
        ("nightly_check", "failed_more"): {"count": 1},
        ("ending_confirm", "asked"): _confirmation(at),
        ("ending_confirm", "confirmed"): _confirmation(at),
        ("ending_confirm", "declined"): _confirmation(at),
        ("more", "more"): {"count": 70},
        ("invitation", "request"): {
            "code": CODE,
            "when": told_when(_morning(at + 8 * DAY, voice), voice),
            "moved_from": told_when(_morning(at + 7 * DAY, voice), voice),
            "minutes": 50,
            "place": "Room 2",
            "of_ending": True,
            "untold": True,
        },
        ("invitation", "cancelled"): {
            "code": CODE,
            "when": told_when(_morning(at + 8 * DAY, voice), voice),
            "over": OVER[State.withdrawn],
            "expected": True,
        },
        ("leave_transfer", "leave_transfer"): {
            "therapist": "Dr Lund (T1)",
            "from_on": "2026-11-30",
            "codes": CODE,
            "count": 1,
        },
        ("sign_in", "sign_in"): {},
        ("fresh_link", "fresh_link"): {},
    }


def _morning(at: Instant, voice: Voice) -> Instant:
    """Ten o'clock of that day, where whoever reads it lives."""
    return at_wall(datetime.combine(day_of(at, voice.zone), time(10)), voice.zone)


def _confirmation(at: Instant) -> dict[str, Any]:
    return {"code": CODE, "therapist": "Dr Lund (T1)", "since": at - DAY, "ending_reason": REASON_WORDS[Reason.beyond]}


def _of_kind(rule: Rule, kind: str, at: Instant, voice: Voice) -> dict[str, Any]:
    reason, facts = found(at)[kind]
    sentence = rule.tell(Verdict(kind, True, reason, facts), voice)
    return {
        "code": CODE,
        "label": rule.kinds[kind].label,
        "sentence": sentence,
        "clears": rule.kinds[kind].clears,
    }


def _beside(rule: str, protocol: str | None) -> dict[str, Any]:
    facts: dict[str, dict[str, Any]] = {"trust": {"question": question(0)}, "safety": {"protocol": protocol}}
    return facts.get(rule, {})
