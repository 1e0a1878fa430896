"""What became of the notices of one finding: whether one waits, when it was told, and its handing on to whoever has the client now."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, case, func, select, update

from integrations.store.tables import insert_new, table
from models.instants import Instant
from models.notices import Message, MessageState, Notice, NoticeState
from models.noticing import ANSWERED, TO_ADMIN, TO_SUPERVISOR, NoticeKey, Step, therapist_recipient


def again(connection: Connection, notice: dict[str, Any]) -> bool:
    """A reason that is back before anybody was told of it: its notice, called off meanwhile, waits again."""
    rows = table(Notice)
    mine = [rows.c[name] == notice[name] for name in NoticeKey._fields]
    untold = rows.c.state.in_([NoticeState.cancelled.value, NoticeState.expired.value])
    names = ("requires", "facts", "not_before", "expires_at", "state", "outcome", "decided_at")
    back = update(rows).where(*mine, untold).values({name: notice[name] for name in names})
    return bool(connection.execute(back).rowcount)


def waits(connection: Connection, notice: dict[str, Any]) -> bool:
    """Whether the notice of this reason is still to be sent: then it speaks for what is true now."""
    rows = table(Notice)
    mine = [rows.c[name] == notice[name] for name in NoticeKey._fields]
    return connection.execute(select(rows.c.state).where(*mine)).scalar() == NoticeState.waiting


def told_at(connection: Connection, notice: dict[str, Any], step: int, *, arrived: bool) -> Instant | None:
    """When a finding was told at a step, to whomever; None where that is still to come. Unless it must have `arrived`, from when on it was
    tried: what a server does not take for now was."""
    rows, messages = table(Notice), table(Message)
    same = [rows.c[name] == notice[name] for name in ("subject", "purpose", "generation")]
    tried = func.coalesce(messages.c.claimed_at, case((rows.c.tries > 0, rows.c.made_at)))
    when = func.max(messages.c.settled_at) if arrived else func.min(tried)
    told = select(when).select_from(rows.outerjoin(messages, messages.c.id == rows.c.message_id)).where(*same)
    if arrived:
        told = told.where(messages.c.state == MessageState.sent)
    return connection.execute(told.where(rows.c.step == step)).scalar()


def next_to_hear(
    connection: Connection, notice: Mapping[str, Any], step: Step, supervisor: str, cover: str
) -> tuple[int, list[str]]:
    """Who hears next of a risk that nobody has answered, and the number of the step that this is: the supervisor, unless they heard already
    in the therapist's place, else the administrator; besides whoever covers for the therapist by now, unless they heard."""
    number = step.number
    if supervisor and has_heard(connection, notice, therapist_recipient(supervisor)):
        number = TO_ADMIN
    people = [therapist_recipient(supervisor if number == TO_SUPERVISOR else "")]
    if cover and not has_heard(connection, notice, therapist_recipient(cover)):
        people.append(therapist_recipient(cover))  # who was told is away
    return number, people


def has_heard(connection: Connection, notice: Mapping[str, Any], recipient: str) -> bool:
    """Whether a finding was told to somebody, at whatever step."""
    rows, messages = table(Notice), table(Message)
    same = [rows.c[name] == notice[name] for name in ("subject", "purpose", "generation")]
    told = select(messages.c.id).select_from(rows.join(messages, messages.c.id == rows.c.message_id))
    lost = [MessageState.failed.value, MessageState.dropped.value]
    mine = told.where(*same, messages.c.recipient == recipient, messages.c.state.not_in(lost))
    return connection.execute(mine).first() is not None


def wait_again(connection: Connection, client_id: int, purpose: str, generation: int) -> None:
    """What was called off since it was answered waits again: the answer was taken back."""
    rows = table(Notice)
    mine = (rows.c.subject == f"client:{client_id}") & (rows.c.purpose == purpose) & (rows.c.generation == generation)
    called_off = (rows.c.state == NoticeState.cancelled.value) & (rows.c.outcome == ANSWERED)
    back = {"state": NoticeState.waiting.value, "outcome": "", "decided_at": None}
    connection.execute(update(rows).where(mine, called_off).values(back))


def hand_on(connection: Connection, notice: dict[str, Any], told: str, *, told_anew: bool) -> bool:
    """The client is somebody else's now: what still waits for `told` is called off, and who has them is told, unless that was done or is
    not wanted."""
    rows, messages = table(Notice), table(Message)
    same = [rows.c[name] == notice[name] for name in NoticeKey._fields if name != "recipient"]
    connection.execute(
        update(rows)
        .where(*same, rows.c.recipient == told, rows.c.state == NoticeState.waiting)
        .values(state=NoticeState.cancelled.value, decided_at=notice["made_at"], outcome="somebody else has the client")
    )
    if not told_anew:
        return False
    told_already = (
        select(messages.c.id)
        .select_from(rows.join(messages, messages.c.id == rows.c.message_id))
        .where(*same, messages.c.recipient == notice["recipient"], messages.c.state != MessageState.failed)
    )
    if connection.execute(told_already).first():
        return False
    return insert_new(connection, Notice, notice) or again(connection, notice)
