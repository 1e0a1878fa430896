"""The last look, the claim and the ledger: nothing goes out whose reason is gone, nothing goes twice, and it goes when people work."""

import threading
from itertools import product
from typing import Any

import pytest

from integrations.store import changes, due, leases, lookups, outbox
from integrations.store.claiming import Bundle, Claimed, Route, claim, due_bundles
from integrations.store.tables import insert_new, insert_rows
from models.changes import ChangeKind
from models.digest import Digest
from models.eligibility import Urgency
from models.errors import UsageError
from models.findings import Finding, Look
from models.instants import DAY, HOUR, Instant, wall_of
from models.notices import FORWARD, Message, MessageState, Notice, NoticeState
from models.noticing import ADMIN, NoticeKey, notice_row
from tests.builders import NOW, Clinic, days_ago, each

LATER = NOW + HOUR  # half past eleven on a Monday in Berlin


def someone(clinic: Clinic, *numbers: str, therapist: str = "T1") -> None:
    """Clients with an open finding and a notice about it that is due."""
    for number in numbers:
        if number not in {row["id"] for row in clinic.clients}:
            clinic.client(number)
        row = next(row for row in clinic.clients if row["id"] == number)
        row["therapist"] = therapist
        clinic.seen(number, *each(7, 6, days_ago(13.99)))
    clinic.sync()
    clinic.look()
    clinic.sync(LATER)
    clinic.look(LATER)
    assert {(number, "quiet") for number in numbers} <= clinic.findings()
    due_now(clinic)


def due_now(clinic: Clinic, at: Instant = LATER) -> None:
    with clinic.practice.store.write() as connection:
        connection.exec_driver_sql(f"UPDATE notice SET not_before = {at} WHERE state = 'waiting'")


def consequences_recorded(clinic: Clinic) -> None:
    """As after a sweep that found nothing new."""
    with clinic.practice.store.write() as connection:
        changes.drained(connection, [change.id for change in changes.waiting(connection)], LATER)


def post(clinic: Clinic, now: Instant = LATER, holder: str = "me", known: Any = None) -> list[Claimed]:
    """Claim what is due; every recipient is reached unless `known` says who is."""

    def route(recipient: str, bundle: Any) -> Route | None:
        return Route("mail", f"{recipient}@example.org") if known is None or recipient in known else None

    def render(recipient: str, bundle: Any, at: Instant, more: int) -> dict[str, Any]:
        return {"about": [notice.id for notice in bundle], "more": more}

    practice = clinic.practice
    with practice.store.write() as connection:
        bundles = due_bundles(practice, connection, now)
    claimed = []
    for bundle in bundles:
        with practice.store.write() as connection:
            message = claim(practice, connection, bundle, now, holder, route, render)
        claimed += [message] if message else []
    return claimed


def outcome(clinic: Clinic) -> list[tuple[str, str]]:
    return [(n.state, n.outcome) for n in clinic.rows(Notice)]


def a_notice(clinic: Clinic, purpose: str = "test", urgency: Urgency = Urgency.system, **more: Any) -> None:
    """A notice to the administrator, or to `recipient`, due at LATER."""
    recipient = more.pop("recipient", ADMIN)
    generation = more.pop("generation", 1)
    row = notice_row(NoticeKey("practice", purpose, generation, 0, recipient), urgency, LATER, 3 * DAY, NOW, **more)
    with clinic.practice.store.write() as connection:
        assert insert_new(connection, Notice, row)


# ---------------------------------------------------------------- the claim


def test_what_is_due_becomes_one_message_for_each_recipient(clinic):
    someone(clinic, "1001", "1002", "1003")
    a_notice(clinic, "one")
    a_notice(clinic, "two")
    claimed = post(clinic)
    # Ordinary notices of one person are one message, each of the system's is its own.
    assert [(c.recipient, len(c.payload["about"])) for c in claimed] == [
        ("therapist:T1", 3),
        ("admin", 1),
        ("admin", 1),
    ]
    assert outcome(clinic) == [("taken", "")] * 5
    assert post(clinic) == []


def test_what_is_not_due_waits(clinic):
    someone(clinic, "1001")
    due_now(clinic, LATER + 1)
    assert post(clinic) == []
    assert len(post(clinic, LATER + 1)) == 1


def test_nobody_is_reached_by_a_way_that_is_not_known(clinic):
    """A duty is not dropped: the administrator gets it, and if nobody knows them either it waits."""
    someone(clinic, "1001")
    assert post(clinic, known=[]) == []
    assert outcome(clinic) == [("waiting", "")]
    assert [c.recipient for c in post(clinic, known=[ADMIN])] == [ADMIN]


def test_safety_goes_first_and_what_nobody_can_be_reached_with_stands_in_no_way(clinic):
    """However many wait for somebody without an address."""
    clinic.sync()
    rows = [
        notice_row(NoticeKey("practice", f"p{n}", 1, 0, "therapist:T9"), Urgency.cancellation, LATER, DAY, NOW)
        for n in range(1100)
    ]
    with clinic.practice.store.write() as connection:
        insert_rows(connection, Notice, rows)
    a_notice(clinic, "system")
    a_notice(clinic, "safety", Urgency.safety)
    system, safety = (n.id for n in clinic.rows(Notice, recipient=ADMIN))
    with clinic.practice.store.write() as connection:
        first, *others = due_bundles(clinic.practice, connection, LATER)
        newest = others[-1]
        assert first == Bundle(ADMIN, (safety,))
        assert newest == Bundle(ADMIN, (system,))
        assert len(others) == 1101
        nowhere = claim(clinic.practice, connection, others[0], LATER, "me", lambda *_: None, lambda *_: {})
        assert nowhere is None
        way = Route("mail", "admin@example.org")
        assert claim(clinic.practice, connection, newest, LATER, "me", lambda *_: way, lambda *_: {})


def test_two_workers_claim_each_notice_once(clinic):
    someone(clinic, *(str(n) for n in range(1001, 1005)))
    for number in range(6):
        a_notice(clinic, f"purpose {number}")
    claimed: list[Claimed] = []
    barrier = threading.Barrier(3)

    def work(name: str) -> None:
        barrier.wait(10)
        for _ in range(3):
            claimed.extend(post(clinic, holder=name))

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    told = [notice for c in claimed for notice in c.payload["about"]]
    assert sorted(told) == [n.id for n in clinic.rows(Notice)]
    assert len(clinic.rows(Message)) == len(claimed) == 7


# ---------------------------------------------------------------- the last look (contract 3)


def cleared(clinic: Clinic) -> None:
    with clinic.practice.store.write() as connection:
        connection.execute(Finding.__table__.update().values(cleared_at=LATER))


def reopened(clinic: Clinic) -> None:
    with clinic.practice.store.write() as connection:
        connection.execute(Finding.__table__.update().values(generation=2))


def people_say(**columns: Any) -> Any:
    def change(clinic: Clinic) -> None:
        clinic.clients[0].update(columns)
        clinic.sync(LATER)

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (cleared, "the finding has cleared"),
        (reopened, "the finding has cleared and come back as a new one"),
        (people_say(died="2026-11-22"), "the client has died: nothing is asked about them"),
        (people_say(status="ended"), "care has ended: nothing is asked"),
    ],
    ids=["cleared", "another generation", "died", "ended"],
)
def test_a_notice_whose_reason_is_gone_is_cancelled_and_says_why(clinic, change, reason):
    someone(clinic, "1001")
    change(clinic)
    assert post(clinic) == []
    assert outcome(clinic) == [("cancelled", reason)]
    (notice,) = clinic.rows(Notice)
    assert notice.decided_at == LATER


def test_what_the_client_prefers_mutes_no_duty_of_staff(clinic):
    someone(clinic, "1001")
    people_say(**{"opted out": "yes"})(clinic)
    consequences_recorded(clinic)
    assert len(post(clinic)) == 1


def test_what_is_no_longer_so_at_this_instant_is_not_sent(clinic):
    """Booked meanwhile, and nobody has looked yet: the claim looks itself, and lets the finding be cleared."""
    someone(clinic, "1001")
    clinic.seen("1001", LATER + 3 * DAY, status="booked")
    clinic.sync(LATER)
    consequences_recorded(clinic)
    assert post(clinic) == []
    assert outcome(clinic) == [("cancelled", "it is no longer so")]
    assert [look.next_look for look in clinic.rows(Look)] == [LATER]
    clinic.look(LATER)
    assert clinic.findings() == set()


def test_what_nobody_can_say_at_this_instant_waits_for_its_sources(clinic):
    someone(clinic, "1001", "1002")
    blind = LATER + 27 * HOUR
    assert post(clinic, blind) == []
    assert {(n.state, n.not_before) for n in clinic.rows(Notice)} == {("waiting", blind + HOUR)}
    clinic.sync(blind)
    assert [len(c.payload["about"]) for c in post(clinic, blind + HOUR)] == [2]


def test_news_of_a_client_is_looked_at_before_they_are_written_about(clinic):
    someone(clinic, "1001", "1002")
    with clinic.practice.store.write() as connection:
        changes.tell(connection, ChangeKind.client_changed, "C", clinic.id_of("1001"), LATER)
    (message,) = post(clinic)
    (waits,), (goes,) = (clinic.notices(client_id=clinic.id_of(number)) for number in ("1001", "1002"))
    assert message.payload["about"] == [goes.id]
    assert (waits.state, waits.not_before) == ("waiting", LATER + 60)
    consequences_recorded(clinic)
    assert len(post(clinic, LATER + 60)) == 1


def test_a_client_whose_look_fails_is_not_written_about_and_keeps_nobody_waiting(clinic):
    someone(clinic, "1001", "1002")
    with clinic.practice.store.write() as connection:
        broken = Digest.__table__.update().where(Digest.client_id == clinic.id_of("1001"))
        connection.execute(broken.values(line=b"broken"))
    (message,) = post(clinic)
    (waits,), (goes,) = (clinic.notices(client_id=clinic.id_of(number)) for number in ("1001", "1002"))
    assert message.payload["about"] == [goes.id]
    assert (waits.state, waits.not_before) == ("waiting", LATER + HOUR)


def test_whoever_has_the_client_now_and_is_told_of_it_anyway_is_not_told_twice(clinic):
    someone(clinic, "1001")
    clinic.therapist("T2")
    people_say(therapist="T2")(clinic)
    consequences_recorded(clinic)
    (mine,) = clinic.rows(Notice)
    own = {**mine._mapping, "recipient": "therapist:T2"}
    del own["id"]
    with clinic.practice.store.write() as connection:
        insert_new(connection, Notice, own)
    (message,) = post(clinic)
    assert message.payload["about"] == [mine.id + 1]
    assert outcome(clinic)[0] == ("cancelled", "whoever has the client now gets a notice of their own")


@pytest.mark.parametrize("gone", ["stale", "held", "unsure", "unconfirmed"])
def test_a_notice_about_the_practice_whose_reason_is_gone_is_cancelled(clinic, gone):
    requires, reason = {
        "stale": ({"stale": "records"}, "the source was read again"),
        "held": ({"held": "records", "since": NOW}, "a person has decided, or what was missing is back"),
        "unsure": ({"unsure": 99}, "a person has said whether it arrived"),
        "unconfirmed": ({"unconfirmed": [1]}, "all of them have been marked"),
    }[gone]
    clinic.sync()
    a_notice(clinic, requires=requires)
    assert post(clinic) == []
    assert outcome(clinic) == [("cancelled", reason)]


def test_a_notice_about_the_practice_whose_reason_stands_is_sent(clinic):
    clinic.sync(NOW, "records")
    with clinic.practice.store.write() as connection:
        connection.exec_driver_sql(f"""UPDATE source SET held = '{{"since": {NOW}, "entries": ["u"]}}'""")
    a_notice(clinic, "stale", requires={"stale": "cal-t1"})
    a_notice(clinic, "held", requires={"held": "records", "since": NOW})
    assert len(post(clinic)) == 2


# ---------------------------------------------------------------- to whom: transfer, leave (contract 4)


def test_whoever_has_the_client_now_is_told(clinic):
    someone(clinic, "1001")
    clinic.therapist("T2")
    people_say(therapist="T2")(clinic)
    consequences_recorded(clinic)
    assert [c.recipient for c in post(clinic)] == ["therapist:T2"]


@pytest.mark.parametrize(
    ("leave", "recipient"),
    [
        ([("T1", "2026-11-23", "2026-11-23", "T2")], "therapist:T2"),
        ([("T1", "2026-11-24", "2026-11-30", "T2")], "therapist:T1"),
        ([("T1", "2026-11-10", "2026-11-22", "T2")], "therapist:T1"),
        ([("T1", "2026-11-23", "2026-11-30", "")], "admin"),
        ([("T1", "2026-11-20", "2026-11-30", ""), ("T1", "2026-11-23", "2026-11-25", "T2")], "therapist:T2"),
        ([("T1", "2026-11-23", "2026-11-30", "T2"), ("T2", "2026-11-23", "2026-11-30", "T3")], "therapist:T3"),
        ([("T1", "2026-11-23", "2026-11-30", "T2"), ("T2", "2026-11-23", "2026-11-30", "T1")], "admin"),
    ],
)
def test_leave_goes_to_the_cover_and_never_drops(clinic, leave, recipient):
    clinic.seen("1001", *each(7, 6, days_ago(9)))
    clinic.sync()
    clinic.look()
    # What is told does not hang on the leave, as being quiet does.
    clinic.seen("1001", days_ago(2), days_ago(0.1), status="missed")
    clinic.sync(LATER)
    clinic.look(LATER)
    for other in ("T2", "T3"):
        clinic.therapist(other)
    clinic.leave = [{"therapist": t, "from": a, "to": b, "cover": c} for t, a, b, c in leave]
    clinic.sync(LATER)
    consequences_recorded(clinic)
    due_now(clinic)
    assert [c.recipient for c in post(clinic)] == [recipient]


# ---------------------------------------------------------------- when: hours, caps, expiry (contracts 7 and 10)


@pytest.mark.parametrize(
    ("now", "sent", "waits_until"),
    [
        (LATER, True, ""),
        (LATER + 6 * HOUR, True, ""),  # half past five
        (LATER + 7 * HOUR, False, "2026-11-24T08:00:00"),  # half past six in the evening
        (LATER + 15 * HOUR, False, "2026-11-24T08:00:00"),  # at night
        (LATER + 5 * DAY, False, "2026-11-30T08:00:00"),  # a Saturday
    ],
)
def test_after_an_outage_what_can_wait_waits_for_the_recipients_hours(clinic, now, sent, waits_until):
    someone(clinic, "1001")
    a_notice(clinic, urgency=Urgency.system)
    recipients = [c.recipient for c in post(clinic, now)]
    assert recipients == (["therapist:T1"] if sent else []) + (["admin"] if now < LATER + 3 * DAY else [])
    if not sent:
        (notice, _) = clinic.rows(Notice)
        assert wall_of(notice.not_before, "Europe/Berlin") == waits_until


def test_hours_are_those_of_the_recipients_zone(clinic):
    clinic.therapists[0]["zone"] = "America/New_York"
    someone(clinic, "1001")
    assert post(clinic, LATER) == []  # half past five in the morning there
    (notice,) = clinic.rows(Notice)
    assert wall_of(notice.not_before, "America/New_York") == "2026-11-23T08:00:00"
    assert len(post(clinic, notice.not_before)) == 1


def test_more_than_a_days_fill_waits_for_the_next_morning_oldest_first(a_clinic):
    clinic = a_clinic(policy="notices_per_day = 2")
    someone(clinic, *(str(n) for n in range(1001, 1006)))
    first = post(clinic)
    assert [len(c.payload["about"]) for c in first] == [2]
    assert post(clinic, LATER + HOUR) == []
    waiting = clinic.rows(Notice, state="waiting")
    assert {wall_of(n.not_before, "Europe/Berlin") for n in waiting} == {"2026-11-24T08:00:00"}
    tuesday = waiting[0].not_before
    assert [c.payload["about"] for c in post(clinic, tuesday)] == [[n.id for n in waiting[:2]]]
    clinic.sync(tuesday + DAY)
    assert [c.payload["about"] for c in post(clinic, tuesday + DAY)] == [[n.id for n in waiting[2:]]]


def test_what_is_urgent_or_the_systems_has_no_cap(a_clinic):
    clinic = a_clinic(policy="notices_per_day = 1")
    clinic.sync()
    for number, urgency in enumerate((Urgency.system, Urgency.safety, Urgency.cancellation, Urgency.safety)):
        a_notice(clinic, f"p{number}", urgency=urgency, recipient="therapist:T1")
    assert len(post(clinic, LATER + 15 * HOUR)) == 4


def test_what_was_refused_does_not_fill_the_day(a_clinic):
    clinic = a_clinic(policy="notices_per_day = 1")
    someone(clinic, "1001")
    (message,) = post(clinic)
    with clinic.practice.store.write() as connection:
        outbox.release(connection, message.id, LATER, "the server was not there")
    assert len(post(clinic, LATER + 60)) == 1


def test_what_is_too_old_expires_but_for_a_finding_that_is_still_open(clinic):
    someone(clinic, "1001", "1002")
    a_notice(clinic, "weekly_line", urgency=Urgency.weekly)
    much_later = LATER + 28 * DAY
    clinic.sync(much_later)
    clinic.look(much_later)
    due_now(clinic)
    with clinic.practice.store.read() as connection:
        said = {w.urgency: (w.due, w.too_old) for w in lookups.waiting(connection, much_later)}
    assert said == {"ordinary": (2, 0), "weekly": (0, 1)}
    (message,) = post(clinic, much_later)
    assert message.recipient == "therapist:T1"
    assert len(message.payload["about"]) == 2
    assert outcome(clinic)[-1] == ("expired", "too old to be worth sending")
    assert [state for state, _ in outcome(clinic)[:-1]] == ["taken"] * (len(outcome(clinic)) - 1)


def test_beyond_the_day_what_waited_too_long_is_counted_and_what_is_newer_waits(a_clinic):
    """However many there are, nothing that still holds is dropped, and nobody gets more than their day holds."""
    clinic = a_clinic(policy="notices_per_day = 2")
    someone(clinic, *(str(n) for n in range(1001, 1011)))
    old = [n.id for n in clinic.rows(Notice)][:7]
    with clinic.practice.store.write() as connection:
        connection.exec_driver_sql(f"UPDATE notice SET expires_at = {LATER} WHERE id <= {old[-1]}")
    (message,) = post(clinic)
    assert (message.payload["about"], message.payload["more"]) == (old[:2], 5)
    assert [n.message_id for n in clinic.rows(Notice)] == [message.id] * 7 + [None] * 3
    assert {wall_of(n.not_before, "Europe/Berlin") for n in clinic.notices(state="waiting")} == {"2026-11-24T08:00:00"}
    # On a day that is full already, the old ones wait for one with a place for a message.
    with clinic.practice.store.write() as connection:
        connection.exec_driver_sql(
            f"UPDATE notice SET expires_at = {LATER}, not_before = {LATER} WHERE state = 'waiting'"
        )
    assert post(clinic) == []
    assert len(clinic.notices(state="waiting")) == 3


# ---------------------------------------------------------------- the ledger


def states(clinic: Clinic) -> list[str]:
    return [m.state for m in clinic.rows(Message)]


def moved(clinic: Clinic, message: Claimed, *to: MessageState) -> None:
    for state in to:
        with clinic.practice.store.write() as connection:
            outbox.move(connection, message.id, state, LATER)


def test_states_only_move_forward(clinic):
    clinic.sync()
    a_notice(clinic)
    (message,) = post(clinic)
    for start, to in product(MessageState, MessageState):
        with clinic.practice.store.write() as connection:
            connection.exec_driver_sql(f"UPDATE message SET state = '{start.value}'")
        if to in FORWARD[start]:
            moved(clinic, message, to)
            assert states(clinic) == [to]
        else:
            with pytest.raises(UsageError, match=f"Message {message.id} cannot become {to.value}"):
                moved(clinic, message, to)
            assert states(clinic) == [start]


def test_nothing_leads_back():
    reached = {state: set(onward) for state, onward in FORWARD.items()}
    for _ in MessageState:
        for state in reached:
            reached[state] |= {far for near in reached[state] for far in reached[near]}
    assert all(state not in onward for state, onward in reached.items())


def test_a_refused_message_is_tried_again_later_under_another_name(clinic):
    clinic.sync()
    a_notice(clinic)
    waits, headers, now = [], set(), LATER
    for _ in range(5):
        (message,) = post(clinic, now)
        headers.add(message.header)
        with clinic.practice.store.write() as connection:
            assert not due.refused(connection)  # it is at it
            outbox.release(connection, message.id, now, "the server was not there")
            assert due.refused(connection)
        (notice,) = clinic.rows(Notice)
        waits.append(notice.not_before - now)
        now = notice.not_before
    assert waits == [60, 300, 900, 3600, 3600]
    assert len(headers) == 5
    (message,) = post(clinic, now)
    with clinic.practice.store.write() as connection:
        outbox.move(connection, message.id, MessageState.handing, now)
        outbox.move(connection, message.id, MessageState.sent, now)
        assert not due.refused(connection)


def test_after_a_crash_what_was_not_begun_waits_again_and_what_was_begun_is_asked_about(clinic):
    someone(clinic, "1001")
    a_notice(clinic, "one")
    begun, not_begun = post(clinic, holder="gone")
    moved(clinic, begun, MessageState.handing)
    with clinic.practice.store.write() as connection:
        assert outbox.recover(connection, LATER, LATER) == 2
        assert outbox.recover(connection, LATER, LATER) == 0
    assert states(clinic) == ["unsure", "released"]
    asked = clinic.notices(purpose="handed_over")
    assert [(n.recipient, n.requires) for n in asked] == [("admin", {"unsure": begun.id})]
    again = post(clinic, LATER + 60)
    assert sorted(len(c.payload["about"]) for c in again) == [1, 1]
    assert not_begun.header not in {c.header for c in again}


def test_a_safety_notice_that_may_not_have_left_is_sent_again(clinic):
    clinic.sync()
    a_notice(clinic, urgency=Urgency.safety)
    (message,) = post(clinic, holder="gone")
    moved(clinic, message, MessageState.handing)
    with clinic.practice.store.write() as connection:
        outbox.recover(connection, LATER, LATER)
    assert states(clinic) == ["dropped"]
    assert clinic.notices(purpose="handed_over") == []
    assert len(post(clinic, LATER)) == 1


def test_what_somebody_is_at_is_left_alone(clinic):
    clinic.sync()
    a_notice(clinic)
    with leases.lease(clinic.practice.store, "deliver_notices", "me", LATER, 60) as held:
        post(clinic, holder=held.holder)
        with clinic.practice.store.write() as connection:
            assert outbox.recover(connection, LATER, LATER) == 0
    with clinic.practice.store.write() as connection:
        assert outbox.recover(connection, LATER, LATER) == 1


def test_only_what_is_unsure_or_failed_is_sent_once_more(clinic):
    clinic.sync()
    a_notice(clinic)
    (message,) = post(clinic)
    moved(clinic, message, MessageState.handing, MessageState.sent)
    with (
        pytest.raises(UsageError, match="is not one to send again"),
        clinic.practice.store.write() as connection,
    ):
        outbox.again(connection, message.id, LATER)
    assert [n.state for n in clinic.rows(Notice)] == [NoticeState.taken]


def test_a_failed_message_sent_again_is_another_message(clinic):
    clinic.sync()
    a_notice(clinic)
    (message,) = post(clinic)
    moved(clinic, message, MessageState.failed)
    with clinic.practice.store.write() as connection:
        outbox.again(connection, message.id, LATER)
    (other,) = post(clinic)
    assert other.header != message.header
    assert states(clinic) == ["dropped", "claimed"]


def test_a_failing_channel_is_told_of_once_a_day(clinic):
    clinic.sync()
    for now in (LATER, LATER + HOUR, LATER + DAY):
        with clinic.practice.store.write() as connection:
            outbox.tell_failure(clinic.practice, connection, "mail", "it refused", now)
    assert len(clinic.notices(purpose="delivery_failed")) == 2
