"""The ledger of messages: every state that one goes through, and what is done about those that a crash or a channel left behind."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select, update

from integrations.store import invitations, leases
from integrations.store.former import ONLY
from integrations.store.last_look import is_of_finding
from integrations.store.recipients import above
from integrations.store.tables import chunks, insert_new, table
from integrations.vault import Vault
from models.accounts import PATHS
from models.eligibility import Urgency
from models.errors import UsageError
from models.instants import DAY, Instant, day_of
from models.notices import FORWARD, Message, MessageState, Notice, NoticeState
from models.noticing import ADMIN, NoticeKey, notice_row

if TYPE_CHECKING:
    from integrations.practice import Practice

ATTEMPTS_BEFORE_TELLING = 3
CHANNEL_TRIES = 5  # at a channel that is no mail server: it does not say why it refuses, nor whether it did
RETRY_AFTER = (60, 300, 900, 3600)  # seconds after the first, second ... refusal


def move(connection: Connection, message_id: int, to: MessageState, now: Instant, problem: str = "") -> None:
    """Move a message forward. Raises UsageError where it stands elsewhere by now: states never go back."""
    messages = table(Message)
    allowed = [state.value for state, onward in FORWARD.items() if to in onward]
    values: dict[str, Any] = {"state": to.value, "problem": problem}
    if to == MessageState.handing:
        values["handed_at"] = now
    elif to != MessageState.claimed:
        values["settled_at"] = now
    changed = connection.execute(
        update(messages).where(messages.c.id == message_id, messages.c.state.in_(allowed)).values(**values)
    )
    if changed.rowcount != 1:
        raise UsageError(
            f"Message {message_id} cannot become {to.value} from where it stands; `tending outbox` shows it."
        )
    invitations.followed(connection, message_id, to, problem)


def release(connection: Connection, message_id: int, now: Instant, problem: str) -> int:
    """A message that was refused for now or never begun: what it carried waits again. Answers how often it was tried."""
    move(connection, message_id, MessageState.released, now, problem)
    notices = table(Notice)
    mine = list(connection.execute(select(notices.c.id, notices.c.tries).where(notices.c.message_id == message_id)))
    tries = max((n.tries for n in mine), default=invitations.tries_of(connection, message_id) or 0) + 1
    wait = RETRY_AFTER[min(tries, len(RETRY_AFTER)) - 1]
    invitations.wait_again(connection, message_id, now + wait)
    for part in chunks([n.id for n in mine]):
        connection.execute(
            update(notices)
            .where(notices.c.id.in_(part))
            .values(
                state=NoticeState.waiting.value, decided_at=None, message_id=None, tries=tries, not_before=now + wait
            )
        )
    return tries


def tried(connection: Connection, message_id: int) -> int:
    """How often the notices of a message were given to a channel before."""
    rows = table(Notice)
    return connection.execute(select(func.max(rows.c.tries)).where(rows.c.message_id == message_id)).scalar() or 0


def refused_for_good(connection: Connection, message_id: int, now: Instant, problem: str) -> None:
    """A message that its channel will never take: the next person gets its notices by another one, of a finding first whoever supervises
    who was written to, else the administrator. What was the administrator's own has failed, and waits for a person; so does an
    invitation, which nobody else has a use for."""
    move(connection, message_id, MessageState.failed, now, problem)
    messages, notices = table(Message), table(Notice)
    if invitations.tries_of(connection, message_id) is not None:
        return
    recipient = connection.execute(select(messages.c.recipient).where(messages.c.id == message_id)).scalar_one()
    if recipient == ADMIN:
        return
    move(connection, message_id, MessageState.dropped, now, f"{problem} The next person gets it instead.")
    wanted = [notices.c[name] for name in ("id", "client_id", "purpose", "requires", "tries")]
    mine = select(*wanted).where(notices.c.message_id == message_id)
    for notice in connection.execute(mine).all():
        if ONLY in notice.requires:
            continue  # for whom could not be reached, and nobody else
        further = is_of_finding(notice) and "reach" not in notice.requires
        connection.execute(
            update(notices)
            .where(notices.c.id == notice.id)
            .values(
                state=NoticeState.waiting.value,
                decided_at=None,
                message_id=None,
                tries=notice.tries + 1,
                not_before=now,
                requires={**notice.requires, "reach": above(connection, recipient) if further else ADMIN},
            )
        )


def recover(connection: Connection, now: Instant, clock: Instant) -> int:
    """After a crash: what was claimed by somebody who is gone waits again; what was being handed over is asked about, and sent
    again only where silence would be worse. `clock` is the real time, by which leases run out. Answers how many were found."""
    messages = table(Message)
    at_work = leases.alive(connection, clock)
    stuck = [
        row
        for row in connection.execute(
            select(messages).where(messages.c.state.in_([MessageState.claimed.value, MessageState.handing.value]))
        )
        if row.claimed_by not in at_work
    ]
    for row in stuck:
        if row.state == MessageState.claimed:
            release(connection, row.id, now, "the program ended before it was handed over")
            continue
        unsure(connection, row.id, now, "the program ended while it was being handed over")
    return len(stuck)


def unsure(connection: Connection, message_id: int, now: Instant, problem: str) -> None:
    """A message of which nobody knows whether the channel took it: a person is asked; a safety notice is sent again."""
    move(connection, message_id, MessageState.unsure, now, problem)
    rows = table(Message)
    row = connection.execute(select(rows.c.urgency, rows.c.channel).where(rows.c.id == message_id)).one()
    if row.urgency == Urgency.safety:
        again(connection, message_id, now)
    else:
        _ask_whether_arrived(connection, message_id, row.channel, now)


def again(connection: Connection, message_id: int, now: Instant) -> None:
    """Send an unsure or failed message once more: what it carried waits again, for a message of its own."""
    messages, notices = table(Message), table(Notice)
    state = connection.execute(select(messages.c.state).where(messages.c.id == message_id)).scalar()
    if state not in (MessageState.unsure, MessageState.failed):
        raise UsageError(f"Message {message_id} is not one to send again; `tending outbox` shows which are.")
    move(connection, message_id, MessageState.dropped, now, "sent again as another message")
    invitations.wait_again(connection, message_id, now)
    connection.execute(
        update(notices)
        .where(notices.c.message_id == message_id)
        .values(
            state=NoticeState.waiting.value, decided_at=None, message_id=None, tries=notices.c.tries + 1, not_before=now
        )
    )


def _ask_whether_arrived(connection: Connection, message_id: int, channel: str, now: Instant) -> None:
    """The administrator is asked about a message of which nobody knows whether it was taken."""
    key = NoticeKey(f"message:{message_id}", "handed_over", 1, 0, ADMIN)
    row = notice_row(
        key,
        Urgency.system,
        now,
        14 * DAY,
        now,
        requires={"unsure": message_id},
        facts={"channel": channel, "since": now},
    )
    insert_new(connection, Notice, row)


def tell_failure(practice: "Practice", connection: Connection, channel: str, reason: str, now: Instant) -> None:
    """The administrator hears, through another channel where there is one, that a channel fails; once per channel and day."""
    day = day_of(now, practice.zone)
    key = NoticeKey(f"channel:{channel}", "delivery_failed", day.toordinal(), 0, ADMIN)
    row = notice_row(
        key,
        Urgency.system,
        now,
        3 * DAY,
        now,
        facts={"channel": channel, "messages": 1, "reason": reason, "since": now},
    )
    insert_new(connection, Notice, row)


def listed(connection: Connection, states: Iterable[MessageState]) -> list[Any]:
    """Messages in any of these states, oldest first, without their content; `tries` is how often it was tried before."""
    rows, notices = table(Message), table(Notice)
    tries = select(func.max(notices.c.tries)).where(notices.c.message_id == rows.c.id).scalar_subquery()
    wanted: list[Any] = [
        rows.c[n] for n in ("id", "recipient", "channel", "urgency", "state", "claimed_at", "handed_at", "problem")
    ]
    wanted.append(func.coalesce(tries, 0).label("tries"))
    return list(
        connection.execute(select(*wanted).where(rows.c.state.in_([s.value for s in states])).order_by(rows.c.id))
    )


def answerable(connection: Connection, message_ids: Iterable[int]) -> dict[int, list[int]]:
    """The numbers of the notices in each of these messages that tell of a finding, and so can be answered."""
    notices, found = table(Notice), dict[int, list[int]]()
    for part in chunks(sorted(message_ids)):
        query = select(notices.c.message_id, notices.c.id).where(
            notices.c.message_id.in_(part), notices.c.client_id.is_not(None), notices.c.purpose.contains(".")
        )
        for message, number in connection.execute(query.order_by(notices.c.id)).tuples():
            if message is not None and number is not None:
                found.setdefault(message, []).append(number)
    return found


def forget_texts(connection: Connection, before: Instant, most: int = 5000) -> int:
    """Empty messages that were settled before an instant, at most so many; answers how many. What asks for a person keeps its text."""
    rows = table(Message)
    settled = [state.value for state in (MessageState.sent, MessageState.released, MessageState.dropped)]
    old = select(rows.c.id).where(rows.c.state.in_(settled), rows.c.settled_at < before, rows.c.sealed != b"")
    numbers = connection.execute(old.order_by(rows.c.id).limit(most)).scalars().all()
    for part in chunks(numbers):
        connection.execute(update(rows).where(rows.c.id.in_(part)).values(sealed=b""))
    return len(numbers)


def take_links_out(connection: Connection, vault: Vault, message_id: int) -> None:
    """What was sent keeps its words and not its links: of them only a hash is kept anywhere."""
    messages = table(Message)
    sealed = connection.execute(select(messages.c.sealed).where(messages.c.id == message_id)).scalar_one()
    said = vault.open(sealed) if sealed else {}
    paths = "|".join(re.escape(path) for path in PATHS.values())
    without = {k: re.sub(rf"({paths})[\w-]+", r"\1...", v) if isinstance(v, str) else v for k, v in said.items()}
    if without != said:
        connection.execute(update(messages).where(messages.c.id == message_id).values(sealed=vault.seal(without)))
