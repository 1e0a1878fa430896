"""What a practice has come to: everything that has to be the same however often its work was interrupted, as plain data."""

import json
import re
from pathlib import Path
from typing import Any

from sqlalchemy import select

from integrations.looks import real_time
from integrations.messages.mailbox import Mail, read_mails
from integrations.practice import open_practice
from integrations.store import audit, leases
from integrations.store.tables import table
from models.appointments import Appointment, Participant
from models.audit import Audit
from models.changes import Change
from models.digest import Digest
from models.findings import Finding, FindingHistory, Look
from models.invitations import Invitation
from models.notices import Message, MessageState, Notice
from models.observations import Observation, Subject
from models.people import Client, Relation, Therapist
from models.quarantine import Quarantine
from models.sources import Source, SourceGap
from models.terminations import TerminationRow
from tests.faults.clinic import Clinic
from tests.faults.web import heard

AS_OF = re.compile(r"as of \w+ \d+ \w+, [\d:]+")
HEAD = re.compile(r"\d+:[0-9a-f]{32}")  # of the audit, in the weekly letter
SETTLED = {MessageState.sent, MessageState.released, MessageState.dropped}
NEVER_TAKEN = {MessageState.released, MessageState.dropped}
NOTICE = (
    "purpose",
    "generation",
    "step",
    "recipient",
    "urgency",
    "state",
    "outcome",
    "requires",
    "facts",
    "expires_at",
)
# Row numbers, of which a transaction that was cut short may use some up, are left out everywhere or said as codes; and what is sealed
# anew with each writing.
WHOLE: dict[Any, tuple[str, ...]] = {
    Client: ("sealed",),
    Therapist: ("sealed",),
    Relation: (),
    Observation: ("sealed",),
    Subject: (),
    Appointment: (),
    Participant: (),
    Digest: (),
    TerminationRow: (),
    Finding: (),
    FindingHistory: (),
    Look: (),
    Change: (),
    # How often it was tried and under which number it left do not matter; what the calendar was told in the end does.
    Invitation: ("uid", "entry_id", "going", "tries", "not_before", "message_id"),
    Quarantine: ("raw", "why"),
    Source: (),
    SourceGap: (),
    Audit: ("place", "seal"),
}


def outcome(clinic: Clinic, mails: Path) -> dict[str, Any]:
    """The state of a practice, of its mailbox and of the pager.

    Of the ledger what was taken by a channel; how often it was tried before does not matter. Not in it are questions
    whether a message arrived, which only an interruption brings.
    """
    arrived = read_mails(mails)
    with open_practice(clinic.toml) as practice:
        seals = audit.verify(practice.store)
        heads = [head.group() for mail in arrived if (head := HEAD.search(mail.text))]
        fits = [audit.verify(practice.store, head).head_fits for head in heads]
        with practice.store.read() as connection:
            clients = table(Client)
            codes = dict(connection.execute(select(clients.c.id, clients.c.code)).tuples().all())
            found: dict[str, Any] = {
                model.__tablename__: _rows(connection, model, out, codes) for model, out in WHOLE.items()
            }
            notices, messages = table(Notice), table(Message)
            asking = notices.c.purpose == "handed_over"
            questions = set(connection.execute(select(notices.c.message_id).where(asking)).scalars())
            every = connection.execute(select(messages)).all()
            found["ledger"] = sorted(
                [row.recipient, row.channel, row.urgency, row.state]
                for row in every
                if row.id not in questions and row.state not in NEVER_TAKEN
            )
            # One whose holder was killed may lie there until somebody wants it; it keeps nobody out.
            found["leases"] = sorted(leases.alive(connection, real_time()))
            found["unsettled"] = [row.state for row in every if row.state not in SETTLED]
            found["notices"] = sorted(
                json.dumps([_by_code(row.subject, codes), *(row._mapping[name] for name in NOTICE)], sort_keys=True)
                for row in connection.execute(select(notices).where(~asking))
            )
    return found | {
        "pages": sorted(heard(clinic.pager)) if clinic.pager else [],
        "seals": [seals.whole, seals.waiting, fits],
        "mails": sorted(
            [m.to, m.subject, AS_OF.sub("as of", HEAD.sub("HEAD", m.text))] for m in arrived if not is_question(m)
        ),
    }


def is_question(mail: Mail) -> bool:
    """Whether the mail asks if another one arrived."""
    return "Sent or not?" in mail.text


def _rows(connection: Any, model: Any, leave_out: tuple[str, ...], codes: dict[int, str]) -> list[str]:
    found = [dict(row._mapping) for row in connection.execute(select(table(model)))]
    for row in found:
        for name in leave_out:
            row.pop(name, None)
        if isinstance(row.get("id"), int):
            row.pop("id")
        if row.get("client_id") is not None:
            row["client_id"] = codes[row["client_id"]]
    return sorted(json.dumps(row, sort_keys=True, default=repr) for row in found)


def _by_code(subject: str, codes: dict[int, str]) -> str:
    kind, _, number = subject.partition(":")
    return f"{kind}:{codes[int(number)]}" if kind == "client" else subject
