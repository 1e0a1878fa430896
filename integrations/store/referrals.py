"""What people say of a referral: taken in where it fits, refused with a sentence where it does not; news is always kept."""

import secrets
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, exists, select

from integrations.store import acts, audit, providers
from integrations.store.died import DIED
from integrations.store.people import ALPHABET
from integrations.store.referral_rows import KIND, referrals_by_client
from integrations.store.tables import table
from integrations.store.turns import take_turn
from models.errors import UsageError
from models.instants import Instant
from models.observations import Observation, Subject
from models.people import Client
from models.referral_acts import LONGEST_PURPOSE, ReferralAct, What, act_of, facts_of
from models.referral_refusals import wrong_day
from models.referral_row import ReferralRow
from models.referral_shape import OVER, Referral, State, Stuck
from models.referrals import refuse
from models.settings import OWN_SOURCE

if TYPE_CHECKING:
    from integrations.practice import Practice

REFERENCE = 6  # letters or digits after R-


class Said(NamedTuple):
    """What became of something that was said: the referral as it stands now, and why news did not move it, empty where it did. `changed` is
    whether anything that is known of it is otherwise now."""

    referral: Referral
    unmoved_because: str = ""
    changed: bool = False


class Row(NamedTuple):
    """A referral in a list, with its client's code."""

    code: str
    client_id: int
    referral: Any


def new_reference(connection: Connection) -> str:
    """A reference that no referral has."""
    rows = table(ReferralRow)
    while True:
        found = "R-" + "".join(secrets.choice(ALPHABET) for _ in range(REFERENCE))
        if connection.execute(select(rows.c.id).where(rows.c.id == found)).first() is None:
            return found


def of_client(connection: Connection, client_id: int) -> list[Referral]:
    """All referrals of a client, the newest last."""
    return referrals_by_client(connection, [client_id]).get(client_id, [])


def find(connection: Connection, client_id: int, reference: str) -> Referral:
    """The referral of that reference as it stands; one of which nothing was said yet stands at its very beginning."""
    return next((one for one in of_client(connection, client_id) if one.id == reference), Referral(reference))


def say(
    practice: "Practice",
    connection: Connection,
    client_id: int,
    act: ReferralAct,
    now: Instant,
    *,
    act_id: str = "",
    secret: dict[str, Any] | None = None,
) -> Said:
    """Take an act in, in the caller's transaction, and derive what follows. Said again under the same `act_id` it is not said twice.

    Raises UsageError, changing nothing, where it does not fit, and for a day that cannot be meant; other news is kept all the
    same, with why it moves nothing.
    """
    take_turn(connection)
    stands = find(connection, client_id, act.referral)
    if act_id and acts.was_said(connection, act_id):
        return Said(stands)
    clients = table(Client)
    who = connection.execute(select(clients.c.code, DIED.label("is_dead")).where(clients.c.id == client_id)).one()
    if act.what is What.offered:
        act = _checked_offer(connection, client_id, act, died=who.is_dead)
    if secret and len(secret.get("purpose", "")) > LONGEST_PURPOSE:
        raise UsageError(f"What a consent is for has at most {LONGEST_PURPOSE} characters.")
    why = refuse(stands, act)
    if why is not None and (act.what is not What.news or wrong_day(stands, act) is not None):
        raise UsageError(why)
    # In the order of saying, also where a clock was set back: what is refused or taken depends on what was said before.
    before = acts.of_client(connection, client_id, KIND)
    known_at = max([now, *(one.known_at for one in before[-1:])])
    acts.record(practice, connection, client_id, KIND, facts_of(act), known_at, act_id=act_id, secret=secret)
    details = {"referral": act.referral} | ({"news": act.word} if act.word else {}) | ({"kept": True} if why else {})
    audit.record(connection, now, act.by, f"referral {act.what.value}", who.code, details)
    after = find(connection, client_id, act.referral)
    return Said(after, why or "", after._replace(aside=()) != stands._replace(aside=()))


def _checked_offer(connection: Connection, client_id: int, act: ReferralAct, *, died: bool) -> ReferralAct:
    if died:
        raise UsageError("The client has died; nothing is referred.")
    known = {one.id for one in providers.listed(connection)}
    if set(act.providers) - known:
        raise UsageError("One of these is not in the directory; `tending providers` lists who is, by id.")
    # What was once under Part 2 stays so for whatever follows.
    marked = act.part2 or any(one.part2 for one in of_client(connection, client_id))
    return act._replace(part2=marked)


def rows_of(connection: Connection, *, closed: bool = False, client_id: int | None = None) -> list[Row]:
    """Referrals by code and beginning; those that are closed only if asked for, or where the provider is still to be told."""
    rows, clients = table(ReferralRow), table(Client)
    query = select(rows, clients.c.code).join_from(rows, clients, rows.c.client_id == clients.c.id)
    if not closed:
        is_open = rows.c.state.not_in([state.value for state in OVER])
        query = query.where(is_open | (rows.c.stuck == Stuck.untold.value))
    if client_id is not None:
        query = query.where(rows.c.client_id == client_id)
    found = connection.execute(query.order_by(clients.c.code, rows.c.offered_at, rows.c.id))
    return [Row(row.code, row.client_id, row) for row in found]


def told_in_order(connection: Connection, client_id: int) -> list[ReferralAct]:
    """All that was said of a client's referrals, in the order of saying."""
    return [act_of(one.facts) for one in acts.of_client(connection, client_id, KIND)]


def of_nobody(connection: Connection) -> list[tuple[str, int]]:
    """News of a client whom nobody knows: the reference that it names, and how much of it."""
    rows, subjects = table(Observation), table(Subject)
    somebody = exists().where(subjects.c.source == rows.c.source, subjects.c.entry_id == rows.c.entry_id)
    query = select(rows.c.facts).where(rows.c.kind == KIND, rows.c.current, ~rows.c.gone, ~somebody)
    return sorted(Counter(facts["referral"] for facts in connection.execute(query).scalars()).items())


def stray(connection: Connection, client_id: int | None = None) -> list[tuple[str, str, int]]:
    """News that belongs to no referral that is known, of one client or all: their code, the reference that it names, and how much of it."""
    rows, clients = table(Observation), table(Client)
    about = select(rows.c.entry_id).where(rows.c.kind == KIND, rows.c.source != OWN_SOURCE).limit(1)
    if connection.execute(about).first() is None:
        return []
    whose = select(clients.c.id, clients.c.code)
    if client_id is not None:
        whose = whose.where(clients.c.id == client_id)
    codes = dict(connection.execute(whose).tuples().all())
    return [
        (codes[client], one.id, len(one.aside))
        for client, found in sorted(referrals_by_client(connection, codes).items())
        for one in found
        if one.state is State.nothing
    ]


def purposes(practice: "Practice", connection: Connection, client_id: int, reference: str) -> list[tuple[Instant, str]]:
    """What each consent was given for, opened; the caller audits."""
    return [
        (one.known_at, practice.vault.open(one.sealed)["purpose"])
        for one in acts.of_client(connection, client_id, KIND)
        if one.sealed and one.facts["referral"] == reference and one.facts["what"] == What.consented
    ]


def letter_sent(practice: "Practice", connection: Connection, client_id: int, reference: str) -> str:
    """The last letter of a referral that a person approved, opened; empty where there is none. The caller audits."""
    sent = [
        one
        for one in acts.of_client(connection, client_id, KIND)
        if one.sealed and one.facts["referral"] == reference and one.facts["what"] == What.sent
    ]
    return str(practice.vault.open(sent[-1].sealed)["letter"]) if sent and sent[-1].sealed else ""
