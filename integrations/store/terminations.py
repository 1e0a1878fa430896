"""Taking in what people say about endings: refused in a sentence or recorded, audited, and whoever has to hear of it is told."""

import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, select

from integrations.store import acts, audit, ending_rows
from integrations.store.cases import digests, shared
from integrations.store.recipients import Recipients
from integrations.store.tables import insert_new, table
from integrations.store.turns import take_turn
from models.case import ATTENDED, Case
from models.eligibility import Urgency
from models.ending_acts import Act, State, Termination, What, act_of
from models.ending_refusals import refuse
from models.ending_steps import CAN_WAIT, MEETINGS, REASON_WORDS, WISHED_BY, By, Reason, Step
from models.errors import UsageError
from models.ethics import code_of
from models.instants import DAY, FAR, Instant
from models.notices import Notice
from models.noticing import THERAPIST, TO_SUPERVISOR, NoticeKey, notice_row, therapist_recipient
from models.people import Client
from models.policy import Policy
from models.terminations import TerminationRow, changes_nothing, endings_of
from models.timing import not_before
from models.told import NOT_KNOWN

if TYPE_CHECKING:
    from integrations.practice import Practice

KIND, CONFIRM = ending_rows.KIND, ending_rows.CONFIRM
OFFERED_BEFORE = 90 * DAY  # places that were offered so long before an ending are still those it leads to
SUPERVISION = "A supervisor or a trusted colleague is a good place to talk about it."


class Start(NamedTuple):
    """What is said when an ending is started: a word of Reason, the answer to the question (`no`, `yes`, empty where none was given), whose
    wish it is (a word of By, empty: what is usual for the reason), whether the client finds rejection hard, and the day (its end) by
    which it should be over."""

    reason: str
    personal: str
    wished_by: str = ""
    careful: bool = False
    until: Instant = NOT_KNOWN


class Taken(NamedTuple):
    """What taking an act in came to: the client's code, the id of the ending, whether anything changed, and, where the answer to the
    question stopped it, the sentence for whoever asked."""

    code: str
    ending: str
    changed: bool = True
    stopped: str = ""


class About(NamedTuple):
    """A client as taking acts in needs them."""

    id: int
    code: str
    therapist: str
    died: bool
    policy: Policy
    case: Case


def start(
    practice: "Practice",
    connection: Connection,
    client_id: int,
    asked: Start,
    by: str,
    now: Instant,
    *,
    act_id: str = "",
) -> Taken:
    """Start an ending, in the caller's transaction. A yes to the question is kept and audited, and starts nothing. Under an `act_id`
    that was given before nothing happens again. Raises UsageError where it is refused; nothing was changed then."""
    take_turn(connection)
    who = about(practice, connection, client_id, now)
    act_id = act_id or uuid.uuid4().hex
    said = [act_of(act.facts) for act in acts.of_client(connection, client_id, KIND)]
    if any(act.ending == act_id and act.what is What.started for act in said):
        return Taken(who.code, act_id, changed=False)
    reason = _word(Reason, asked.reason, "reason")
    wished_by = _word(By, asked.wished_by or WISHED_BY[reason][0].value, "answer to whose wish it is")
    confirmer = _confirmer(practice, connection, who, by, now) if wished_by is By.therapist else ""
    act = Act(
        act_id,
        What.started,
        now,
        by,
        reason=reason.value,
        wished_by=wished_by.value,
        personal=asked.personal,
        confirmer=confirmer,
        process=who.policy.ending_process_careful if asked.careful else who.policy.ending_process_appointments,
        until=asked.until,
        careful=asked.careful,
    )
    if asked.personal == "yes":
        # Under an id of its own: whoever answers no afterwards says another thing.
        act = Act(act_id, What.stopped, now, by, reason=reason.value)
        return _stopped(practice, connection, who, act, f"{act_id}-stopped", "nothing was begun")
    stands = next(reversed(endings_of(said, died=who.died)), None)
    why = refuse(stands, act, who.policy, died=who.died) or _too_many(connection, who, reason)
    if why is not None:
        raise UsageError(why)
    _take(practice, connection, who, act, act_id)
    if confirmer:
        _tell(practice, connection, who, act, "asked", confirmer, now)
    return Taken(who.code, act_id)


def say(
    practice: "Practice",
    connection: Connection,
    client_id: int,
    what: What,
    by: str,
    now: Instant,
    *,
    step: str = "",
    reason: str = "",
    means: str = "",
    personal: str = "",
    on: Instant = NOT_KNOWN,
    act_id: str = "",
) -> Taken:
    """Say something about a client's newest ending, in the caller's transaction; what was said before changes nothing. Raises
    UsageError where it is refused; nothing was changed then."""
    take_turn(connection)
    who = about(practice, connection, client_id, now)
    said = acts.of_client(connection, client_id, KIND)
    stands = next(reversed(endings_of((act_of(one.facts) for one in said), died=who.died)), None)
    if stands is not None and act_id and any(one.id == act_id for one in said):
        return Taken(who.code, stands.id, changed=False)
    act_id = act_id or uuid.uuid4().hex
    seen, apart = contact(who) if what is What.attempt or step == Step.letter else (NOT_KNOWN, 0)
    act = Act(
        stands.id if stands else "",
        what,
        now,
        by,
        reason=reason,
        personal=personal,
        process=who.policy.ending_process_careful if what is What.careful else 0,
        step=step,
        appointments=who.case.held_since(stands.started_at) if stands and step in MEETINGS else 0,
        means=means,
        on=now if what is What.attempt and on == NOT_KNOWN else on,
        seen=seen,
        apart=apart,
    )
    is_yes = what is What.confirmed and personal == "yes"
    if is_yes:  # the confirmer says that it is for that reason: it is not confirmed
        act = act._replace(what=What.declined, reason="personal")
    if (why := refuse(stands, act, who.policy, died=who.died, offered=_offered(who, stands))) is not None:
        raise UsageError(why)
    assert stands is not None
    if is_yes:
        stopped = _stopped(practice, connection, who, act, act_id, "this ending is not confirmed")
        _tell(practice, connection, who, act, What.declined.value, who.therapist, now)
        return stopped
    if changes_nothing(stands, act):
        return Taken(who.code, stands.id, changed=False)
    _take(practice, connection, who, act, act_id)
    if what in (What.confirmed, What.declined) and who.therapist:
        _tell(practice, connection, who, act, what.value, who.therapist, now)
    return Taken(who.code, stands.id)


def newest(
    connection: Connection, client_id: int, *, died: bool, known_at: Instant | None = None
) -> Termination | None:
    """A client's newest ending as it stands, or stood by what was known at an instant; None where there never was one."""
    then = {} if known_at is None else {"known_at": known_at}
    said = (act_of(act.facts) for act in acts.of_client(connection, client_id, KIND, **then))
    return next(reversed(endings_of(said, died=died)), None)


def can_be_done(who: About, stands: Termination, step: Step, now: Instant) -> bool:
    """Whether a step may be said to be done by now."""
    held = who.case.held_since(stands.started_at) if step in MEETINGS else 0
    seen, apart = contact(who)
    act = Act(stands.id, What.done, now, "", step=step.value, appointments=held, seen=seen, apart=apart)
    return refuse(stands, act, who.policy, died=who.died, offered=_offered(who, stands)) is None


def not_to_begin(practice: "Practice") -> str:
    """What the practice's code says of endings that are made in order to begin a relationship."""
    settings = practice.settings.practice
    return code_of(settings.ethics, settings.ethics_text).not_to_begin.quoted()


def about(practice: "Practice", connection: Connection, client_id: int, now: Instant) -> About:
    clients = table(Client)
    code = connection.execute(select(clients.c.code).where(clients.c.id == client_id)).scalar_one()
    digest = next(digests(connection, [client_id]))
    together = shared(practice, connection, now)
    policy, case = together.policy(digest).policy, together.case(digest)
    return About(client_id, code, digest[1], case.died, policy, case)


def _offered(who: About, stands: Termination | None) -> bool:
    """Whether places to turn to were offered for an ending: since it was started, or lately before."""
    since = stands.started_at - OFFERED_BEFORE if stands else FAR
    return any(one.offered_at >= since for one in who.case.told.referrals)


def contact(who: About) -> tuple[Instant, int]:
    """When the client was seen last, and how far apart attempts are, for what is said of reaching them. Only what is known to have taken
    place counts: an appointment that nobody marked may be one more that the client did not come to."""
    attended = (e >> 3 for e in reversed(who.case.line[: who.case.past]) if e & 3 == ATTENDED)
    return next(attended, NOT_KNOWN), round(who.policy.ending_attempt_days * DAY)


def _word(words: Any, text: str, what: str) -> Any:
    try:
        return words(text.strip().lower().replace("_", "-"))
    except ValueError:
        there = ", ".join(word for word in words if word is not By.nobody)
        raise UsageError(f"That is no {what}; there are {there}.") from None


def _confirmer(practice: "Practice", connection: Connection, who: About, by: str, now: Instant) -> str:
    """Who confirms what is begun for this client's therapist: the supervisor, else the peer of the policy, and never whoever began it
    (`by`: a supervisor may cover); nobody where neither is known."""
    recipients = Recipients(practice, connection, now)
    peer = who.policy.ending_confirmed_by_peer
    known_peer = peer if peer != who.therapist and recipients.knows(peer) else ""
    able = (recipients.supervisor(who.therapist), known_peer)
    return next((one for one in able if one and therapist_recipient(one) != by), "")


def _too_many(connection: Connection, who: About, reason: Reason) -> str | None:
    if not who.therapist or reason not in CAN_WAIT:
        return None
    going, most = ending_rows.open_count(connection, who.therapist), who.policy.endings_at_once
    if going < most:
        return None
    return (
        f"{who.therapist} has {going} endings going on that need appointments, and each needs room: no more than {most} at once "
        "(endings_at_once in the policy). Close or withdraw one first."
    )


def _stopped(practice: "Practice", connection: Connection, who: About, act: Act, act_id: str, came: str) -> Taken:
    """Keep that somebody was stopped; what stood goes on standing, but for an ending that waited for a confirmation and does not get it.
    `came` says what it came to."""
    if not acts.was_said(connection, act_id):
        acts.record(practice, connection, who.id, KIND, act.facts(), act.at, act_id=act_id)
        audit.record(connection, act.at, act.by, "ending stopped", who.code, {"asked": act.what.value})
    return Taken(who.code, act.ending, stopped=f"{not_to_begin(practice)} It was recorded, and {came}. {SUPERVISION}")


def _take(practice: "Practice", connection: Connection, who: About, act: Act, act_id: str) -> None:
    acts.record(practice, connection, who.id, KIND, act.facts(), act.at, act_id=act_id)
    details = {
        name: value for name, value in (("reason", act.reason), ("step", act.step), ("means", act.means)) if value
    }
    audit.record(connection, act.at, act.by, f"ending {act.what.value}", who.code, details)


def _tell(practice: "Practice", connection: Connection, who: About, act: Act, said: str, to: str, now: Instant) -> None:
    """One notice to whoever has to confirm, or, with what they said, to whoever has the client."""
    rows = table(TerminationRow)
    row = connection.execute(select(rows.c.nth, rows.c.reason).where(rows.c.ending == act.ending)).one()
    policy = practice.book.of(therapist=to).policy
    hours = Recipients(practice, connection, now).hours(to, policy)
    is_asked = said == "asked"
    state = {"asked": State.waiting, What.confirmed: State.going, What.declined: State.declined}[said]
    notice = notice_row(
        NoticeKey(f"client:{who.id}", CONFIRM, row.nth, TO_SUPERVISOR if is_asked else 0, therapist_recipient(to)),
        Urgency.duty,
        not_before(Urgency.duty, hours, now),
        round(policy.notice_expires_days * DAY),
        now,
        client_id=who.id,
        requires={CONFIRM: act.ending, "state": state.value},
        facts={
            "said": said,
            "code": who.code,
            "therapist": act.by.removeprefix(THERAPIST) if is_asked else who.therapist,
            "since": now,
            "ending_reason": REASON_WORDS[Reason(row.reason)],
        },
    )
    insert_new(connection, Notice, notice)
