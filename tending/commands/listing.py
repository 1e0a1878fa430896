"""Which commands there are, under which headings, in a line each, and the module that has each of them: what `tending --help` shows
without reading any of them, since that takes a second."""

from typing import NamedTuple


class Listed(NamedTuple):
    """The module of tending.commands that has a command, and the first line of its help."""

    module: str
    line: str


HEADINGS = {
    "Start": {
        "demo": Listed("running", "Watch it on a practice that does not exist."),
        "init": Listed("practice", "Start a practice: practice.toml, keys and database."),
        "check": Listed("practice", "What is healthy, missing or unsafe, with the remedy."),
        "up": Listed("running", "Run the practice until Ctrl-C."),
        "desk": Listed("desk", "Serve the desk alone, until Ctrl-C."),
    },
    "Every day": {
        "findings": Listed("findings", "Who may be dropping out of care, and why."),
        "answer": Listed("saying", "Say what happened about a finding."),
        "why": Listed("explain", "Why something was said about a client, or why not."),
        "status": Listed("status", "How the practice stands, in numbers."),
        "sync": Listed("sources", "Read the sources now."),
    },
    "Appointments": {
        "slots": Listed("slots", "Times at which a therapist is free."),
        "invite": Listed("inviting", "Put an appointment into the therapist's calendar, by mail."),
    },
    "Endings and referrals": {
        "end": Listed("endings", "Start an ending of care, with its reason."),
        "ending": Listed("endings", "Show an ending, or say what was done."),
        "leave": Listed("leave", "Plan a therapist's leave or going."),
        "refer": Listed("referring", "Write down what was said or done about a referral."),
        "referrals": Listed("referrals", "Which referrals are open, and what is next."),
        "providers": Listed("referrals", "Three providers that suit, with the reasons."),
    },
    "What asks for a person": {
        "unmatched": Listed("unplaced", "Entries of calendars and records that belong to nobody."),
        "held": Listed("unplaced", "What vanished from a source at once."),
        "quarantine": Listed("aside", "Input that could not be understood."),
        "outbox": Listed("sending", "Messages that a person has to say something about."),
    },
    "Codes and people": {
        "who": Listed("people", "Who a code stands for."),
        "code": Listed("people", "The code of a client, by id or name."),
        "timeline": Listed("timeline", "One client's care on a page, in order."),
        "boundary": Listed("boundary", "May I contact a client? Each question is recorded."),
        "users": Listed("desk", "Who may use the desk."),
        "audit": Listed("people", "Who saw whom and who did what."),
    },
    "Sending": {
        "arm": Listed("sending", "Let this installation send; a copy made later stays silent."),
        "disarm": Listed("sending", "Send nothing from now on."),
        "messages": Listed("messages", "What Tending writes to people, in which words."),
    },
    "Keeping it": {
        "policy": Listed("policy", "Every threshold that holds, and where it comes from."),
        "forget": Listed("sources", "Let go a source that practice.toml names no more."),
        "upgrade": Listed("practice", "Bring the database to this version."),
        "rebuild": Listed("practice", "Derive everything again; nothing may differ."),
        "keys": Listed("running", "The keys that close names and raw rows."),
    },
}
"""Every command stands under one heading; a test says so, and that each line is what the command itself says first."""

MODULES = {name: listed.module for commands in HEADINGS.values() for name, listed in commands.items()}
