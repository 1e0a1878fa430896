"""The claim of what is due: notices become one message to one person, each looked at once more in the same transaction."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, select, update

from integrations.store.former import ONLY
from integrations.store.last_look import MERGED, Addressees, LastLook
from integrations.store.tables import chunks, table
from models.digest import Digest
from models.eligibility import Urgency
from models.instants import Instant, day_of
from models.notices import Message, MessageState, Notice, NoticeState
from models.noticing import ADMIN

if TYPE_CHECKING:
    from integrations.practice import Practice


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message of our own to hand over: its row's id, whom it is for, and what the renderer stored."""

    id: int
    recipient: str
    channel: str
    header: str
    payload: dict[str, Any]


class Route(NamedTuple):
    """How somebody is reached: a channel's name, and an address for mail."""

    channel: str
    address: str


Render = Callable[[str, list[Any], Instant, int], dict[str, Any]]


def told_of_findings() -> ColumnElement[bool]:
    """Notices that tell of a client's finding: their purpose is a rule and a kind."""
    notices = table(Notice)
    return notices.c.client_id.is_not(None) & notices.c.purpose.contains(".")


class Bundle(NamedTuple):
    """Numbers of notices that are due and go to one person in one message."""

    addressee: str
    notices: tuple[int, ...]


def due_bundles(practice: "Practice", connection: Connection, now: Instant) -> list[Bundle]:
    """All that is due, by message: safety first, then as it came. What is too old expires, unless it tells of a finding: as long
    as that is open, it is a duty, whatever delayed it. None is looked at or taken here, so that what nobody can be reached with
    stands in no other's way."""
    notices, people = table(Notice), table(Digest)
    waiting = notices.c.state == NoticeState.waiting
    connection.execute(
        update(notices)
        .where(waiting, notices.c.expires_at <= now, ~told_of_findings())
        .values(state=NoticeState.expired.value, decided_at=now, outcome="too old to be worth sending")
    )
    wanted = [notices.c[name] for name in ("id", "client_id", "recipient", "step", "urgency", "requires")]
    found = connection.execute(
        select(*wanted, people.c.therapist_id)
        .select_from(notices.outerjoin(people, people.c.client_id == notices.c.client_id))
        .where(waiting, notices.c.not_before <= now)
        .order_by(notices.c.id)
    ).all()
    if not found:
        return []
    addressees = Addressees(connection, day_of(now, practice.zone))
    bundles: dict[tuple[bool, str, bool, int], list[int]] = defaultdict(list)
    for notice in found:
        merged = notice.urgency in MERGED
        calm = notice.urgency != Urgency.safety
        addressee = addressees.of(notice, notice.therapist_id or "")
        bundles[calm, addressee, merged, 0 if merged else notice.id].append(notice.id)
    ordered = sorted(bundles.items(), key=lambda item: (item[0][0], item[1]))
    return [Bundle(key[1], tuple(numbers)) for key, numbers in ordered]


def claim(
    practice: "Practice",
    connection: Connection,
    bundle: Bundle,
    now: Instant,
    holder: str,
    route: Callable[[str, Iterable[Any]], Route | None],
    render: Render,
) -> Claimed | None:
    """Look once more at every notice of a bundle, cancel those whose reason is gone, and claim one message with the others, if any.

    What exceeds somebody's day waits for the next morning; what has waited for longer than a notice lasts is not told one by one
    any more but counted in that message. `route` says how a recipient is reached (None: nobody knows), `render` what the
    message holds, and of how many others it tells. Nothing is sent here.
    """
    notices = table(Notice)
    wanted: list[Any] = []
    for part in chunks(bundle.notices):
        wanted += connection.execute(
            select(notices)
            .where(notices.c.id.in_(part), notices.c.state == NoticeState.waiting.value, notices.c.not_before <= now)
            .order_by(notices.c.id)
            # Another worker at the same bundle is waited for: two that share it would send two messages, each with a cap of its own.
            .with_for_update()
        )
    if not wanted:
        return None
    look = LastLook(practice, connection, now, wanted)
    standing: list[Any] = []
    counted: list[Any] = []
    for notice in wanted:
        problem = look.problem(notice)
        if not problem and ONLY in notice.requires and route(bundle.addressee, [notice]) is None:
            problem = "it is for them alone, and nobody knows how to reach them"
        if problem:
            _settle(connection, [notice.id], NoticeState.cancelled, now, problem)
            continue
        if look.addressee(notice) != bundle.addressee:
            continue  # somebody else has the client since a moment ago: it is the next delivery's
        later = look.later(bundle.addressee, notice)
        if later is None and not look.full(bundle.addressee, notice):
            standing.append(notice)
        elif later is None and standing and notice.expires_at <= now:
            counted.append(notice)
        else:
            later = later or look.next_day(bundle.addressee)
            connection.execute(update(notices).where(notices.c.id == notice.id).values(not_before=later))
    if not standing:
        return None
    above = look.above(bundle.addressee, standing)
    return _claim_one(practice, connection, now, holder, bundle.addressee, above, standing, counted, route, render)


def _claim_one(
    practice: "Practice",
    connection: Connection,
    now: Instant,
    holder: str,
    addressee: str,
    above: str,
    bundle: list[Any],
    counted: list[Any],
    route: Callable[[str, Iterable[Any]], Route | None],
    render: Render,
) -> Claimed | None:
    # Where nobody knows how to reach this person a duty is not dropped: who supervises them gets it, or the administrator.
    reached = (
        (who, way) for who in dict.fromkeys((addressee, above, ADMIN)) if (way := route(who, bundle)) is not None
    )
    addressee, way = next(reached, ("", None))
    if way is None:
        return None  # shown by `check` and `status`; waits
    payload = {**render(addressee, bundle, now, len(counted)), "to": way.address, "at": now}
    first = bundle[0]
    bundle = bundle + counted
    # The same reasons claimed again after a refusal are another message; a retry of one message keeps its name.
    tries = max(n.tries for n in bundle)
    header = practice.vault.hash("content", f"{addressee} {tries} " + " ".join(str(n.id) for n in bundle))
    sealed = practice.vault.seal(payload)
    message_id = into_ledger(connection, addressee, way.channel, header, sealed, first.urgency, now, holder)
    notices = table(Notice)
    for part in chunks([n.id for n in bundle]):
        connection.execute(
            update(notices)
            .where(notices.c.id.in_(part))
            .values(state=NoticeState.taken.value, decided_at=now, message_id=message_id)
        )
    return Claimed(message_id, addressee, way.channel, header, payload)


def into_ledger(
    connection: Connection,
    recipient: str,
    channel: str,
    header: str,
    sealed: bytes,
    urgency: str,
    now: Instant,
    holder: str,
) -> int:
    """Enter a message that was claimed into the ledger, before anything of it is handed over; answers its id there."""
    inserted = connection.execute(
        table(Message)
        .insert()
        .values(
            recipient=recipient,
            channel=channel,
            message_id_header=header,
            sealed=sealed,
            urgency=urgency,
            state=MessageState.claimed.value,
            claimed_at=now,
            claimed_by=holder,
            handed_at=None,
            settled_at=None,
            problem="",
        )
    )
    return int(inserted.inserted_primary_key[0])  # type: ignore[index]  # one row was inserted


def _settle(connection: Connection, ids: list[int], state: NoticeState, now: Instant, outcome: str) -> None:
    notices = table(Notice)
    connection.execute(
        update(notices).where(notices.c.id.in_(ids)).values(state=state.value, decided_at=now, outcome=outcome)
    )
