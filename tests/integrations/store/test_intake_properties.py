"""Whatever happens to a practice's sources: no stored digest is stale, and the order in which news came in does not matter."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from integrations.store.rebuild import rebuild
from models.appointments import Appointment, Participant
from models.digest import Digest
from models.entries import (
    KIND_OF,
    Achievement,
    AppointmentEntry,
    Attendance,
    BreakEntry,
    ClientStatus,
    GoalEntry,
    GoalStatus,
    HoldEntry,
    LeaveEntry,
    Plan,
    Reading,
    ScoreEntry,
)
from models.findings import Finding, Look
from models.instants import DAY, HOUR
from models.people import Break, Leave, Relation
from tests.builders import NOW, Clinic, a_client, a_reading, an_appointment

NUMBERS = ("1001", "1002", "1003")
NAMES = ("Anna Müller", "Ben Ünal", "Müller Anna")  # the first and the third are the same to whoever reads a title
SOURCES = ("records", "cal-t1", "cal-t2")
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

# ---------------------------------------------------------------- what sources may hold

appointments = st.builds(
    lambda number, hours, who, titled, plan, attendance, tail: an_appointment(
        f"a{number}" if not tail else f"s{number % 2}#{number}",
        NOW + hours * HOUR,
        *(() if titled else who),
        title=f"Session {NAMES[int(who[0][-1]) - 1]}" if titled else "",
        plan=Plan.proposed if tail else plan,
        attendance=attendance,
        group=f"s{number % 2}" if tail else "",
    ),
    st.integers(0, 5),
    st.sampled_from((-24 * 40, -24 * 20, -24 * 7, -24, 24, 48, 72, 24 * 10, 24 * 20)),
    st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=2, unique=True),
    st.booleans(),
    st.sampled_from((Plan.booked, Plan.booked, Plan.cancelled)),
    st.sampled_from((Attendance.unknown, Attendance.unknown, Attendance.attended, Attendance.no_show)),
    st.sampled_from((False, False, True)),
)
days = st.integers(-40, 40).map(lambda n: date(2026, 11, 23) + timedelta(days=n))
people = st.builds(
    lambda number, name, therapist, status, intake, paused, died: a_client(
        number, name, therapist, status=status, intake_on=intake, paused_until=paused, died=died
    ),
    st.sampled_from(NUMBERS),
    st.sampled_from(NAMES),
    st.sampled_from(("T1", "T1", "T2", None)),
    st.sampled_from((ClientStatus.active, ClientStatus.active, ClientStatus.intake, ClientStatus.ended)),
    st.none() | days,
    st.none() | days,
    st.sampled_from((False, False, False, True)),
)
breaks = st.builds(
    lambda n, number, day, length: BreakEntry(f"b{n}", number, day, day + timedelta(days=length)),
    st.integers(0, 2),
    st.sampled_from(NUMBERS),
    days,
    st.integers(0, 20),
)
leave = st.builds(
    lambda n, therapist, day, length: LeaveEntry(f"l{n}", therapist, day, day + timedelta(days=length)),
    st.integers(0, 2),
    st.sampled_from(("T1", "T2")),
    days,
    st.integers(0, 20),
)


goals = st.builds(
    lambda n, number, set_on, status, achievement: GoalEntry(
        f"g{n}", number, "Wieder schlafen", set_on, status, achievement=achievement
    ),
    st.integers(0, 3),
    st.sampled_from(NUMBERS),
    st.none() | days,
    st.sampled_from(GoalStatus),
    st.sampled_from(Achievement),
)
scores = st.builds(
    lambda n, number, measure, days_back, value, risk: ScoreEntry(
        f"x{n}", number, measure, NOW - days_back * DAY, value, risk if measure == "PHQ-9" else None
    ),
    st.integers(0, 4),
    st.sampled_from((*NUMBERS, "1004")),
    st.sampled_from(("SRS", "PHQ-9", "WAI-SR")),
    st.integers(0, 60),
    st.integers(12, 27),
    st.none() | st.integers(0, 3),
)
holds = st.builds(
    lambda n, number, day, length: HoldEntry(f"h{n}", number, day, day + timedelta(days=length) if length else None),
    st.integers(0, 1),
    st.sampled_from(NUMBERS),
    days,
    st.integers(0, 20),
)


def once(entries: list[Any]) -> list[Any]:
    """Each entry's id once."""
    return list({(type(e).__name__, e.id): e for e in entries}.values())


records = st.builds(
    lambda *parts: a_reading(*(e for part in parts for e in once(part)), kinds=set(KIND_OF.values())),
    st.lists(people, max_size=4),
    st.lists(appointments, max_size=6),
    st.lists(breaks, max_size=2),
    st.lists(leave, max_size=1),
    st.lists(goals, max_size=3),
    st.lists(scores, max_size=4),
    st.lists(holds, max_size=1),
)
# What another system says of clients comes with what it says of appointments: the newest word on a client holds.
calendars = st.builds(
    lambda found, said: a_reading(*once(found), *once(said), kinds=["appointment"]),
    st.lists(appointments, max_size=6),
    st.just([]) | st.lists(people, max_size=2),
)


def in_calendar_of(source: str, reading: Reading) -> Reading:
    entries = [
        replace(e, therapist_id=source[-2:].upper()) if isinstance(e, AppointmentEntry) else e for e in reading.entries
    ]
    return replace(reading, entries=entries)


news = st.one_of(
    st.tuples(st.just("records"), records),
    st.sampled_from(SOURCES[1:]).flatmap(
        lambda s: st.tuples(st.just(s), calendars.map(lambda r: in_calendar_of(s, r)))
    ),
)

# ---------------------------------------------------------------- what stands, without numbers that depend on the order


def standing(clinic: Clinic) -> dict[str, Any]:
    """Everything derived, by the clinic's own numbers."""
    number = clinic.numbers()
    appointments = {a.id: a for a in clinic.rows(Appointment)}
    return {
        "appointments": sorted(
            (a.id, a.wall, a.zone, a.start_at, a.end_at, a.therapist_id or "", a.known_since)
            for a in appointments.values()
        ),
        "parts": sorted(
            (
                p.appointment_id,
                number[p.client_id],
                p.plan,
                p.attendance,
                p.mark,
                p.cancelled_by or "",
                p.cancelled_known_at or 0,
            )
            for p in clinic.rows(Participant)
        ),
        "digests": sorted((number[d.client_id], *tuple(d)[1:]) for d in clinic.rows(Digest)),
        "relations": sorted(
            (number[r.client_id], r.therapist_id, str(r.from_on), str(r.to_on)) for r in clinic.rows(Relation)
        ),
        "breaks": sorted((number[b.client_id], b.from_on, b.to_on) for b in clinic.rows(Break)),
        "leave": sorted((r.therapist_id, r.from_on, r.to_on) for r in clinic.rows(Leave)),
    }


def findings(clinic: Clinic) -> list[tuple[Any, ...]]:
    """Open findings by the clinic's own numbers, without the therapist's turn in how a question is worded: who was looked at first."""
    number = clinic.numbers()
    return sorted(
        (number[f.client_id], f.kind, f.reason, str({**f.evidence, "question": None}))
        for f in clinic.rows(Finding)
        if f.cleared_at is None
    )


def stale_digests_after(clinic: Clinic, story: list[tuple[str, Reading]]) -> None:
    clinic.empty()
    now = NOW
    for source, reading in story:
        now += 600
        clinic.take(source, reading, now)
        clinic.look(now)
        again = rebuild(clinic.practice, now, dry_run=True)
        assert again.differed == ()
    clinic.look(now + 1)
    # The stored looks and findings are those that a look at everybody from scratch comes to.
    before = findings(clinic)
    with clinic.practice.store.write() as connection:
        connection.exec_driver_sql("UPDATE look SET next_look = 0")
    clinic.look(now + 1)
    assert findings(clinic) == before
    assert {row.next_look > now for row in clinic.rows(Look)} <= {True}


def order_does_not_matter(clinic: Clinic, story: list[tuple[str, Reading]], random: Any) -> None:
    """Readings of each source come in their own order, those of different sources in any, rows in any; what is known when is given."""
    timed = [(source, reading, NOW + 600 * place) for place, (source, reading) in enumerate(story)]
    queues = {source: [one for one in timed if one[0] == source] for source in SOURCES}
    shuffled = []
    while any(queues.values()):
        source = random.choice([s for s in SOURCES if queues[s]])
        shuffled.append(queues[source].pop(0))
    stands = []
    for told in (timed, shuffled):
        clinic.empty()
        for source, reading, now in told:
            entries = list(reading.entries)
            if told is shuffled:
                random.shuffle(entries)
            clinic.take(source, replace(reading, entries=entries), now)
        end = NOW + DAY
        clinic.look(end)
        stands.append((standing(clinic), findings(clinic)))
    assert stands[0] == stands[1]


@pytest.fixture
def two_calendars(a_clinic: Any) -> Clinic:
    clinic: Clinic = a_clinic(calendars=("t1", "t2"), policy="vanish_floor = 2\nvanish_share = 0")
    return clinic


PHASES = [Phase.explicit, Phase.generate, Phase.shrink]
stories = st.lists(news, min_size=2, max_size=6)


@given(story=stories)
@settings(max_examples=12, suppress_health_check=SLOW, phases=PHASES)
def test_nothing_that_happens_leaves_a_stale_digest(two_calendars, story):
    stale_digests_after(two_calendars, story)


@given(story=stories, random=st.randoms(use_true_random=False))
@settings(max_examples=12, suppress_health_check=SLOW, phases=PHASES)
def test_the_order_of_arrival_does_not_matter(two_calendars, story, random):
    order_does_not_matter(two_calendars, story, random)


@pytest.mark.long
@pytest.mark.timeout(600)
@given(story=st.lists(news, min_size=2, max_size=12))
@settings(max_examples=80, suppress_health_check=SLOW)
def test_nothing_that_happens_leaves_a_stale_digest_long(two_calendars, story):
    stale_digests_after(two_calendars, story)


@pytest.mark.long
@pytest.mark.timeout(600)
@given(story=st.lists(news, min_size=2, max_size=12), random=st.randoms(use_true_random=False))
@settings(max_examples=80, suppress_health_check=SLOW)
def test_the_order_of_arrival_does_not_matter_long(two_calendars, story, random):
    order_does_not_matter(two_calendars, story, random)
