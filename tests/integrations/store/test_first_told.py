"""What nobody tells of is not missing, and what a source tells of late was so before: neither makes a notice."""

from integrations.store import cases
from models.case import NO_APPOINTMENTS
from models.instants import DAY, HOUR
from tests.builders import NOW, days_ago
from tests.integrations.store.test_decisions import opened

ASKED = {"intake": "2026-01-05"}


def test_while_no_source_tells_of_appointments_nobody_is_said_to_stay_away(a_clinic):
    clinic = a_clinic(calendars=())
    clinic.client("1001", **ASKED)
    clinic.sync()
    assert clinic.look().opened == 0
    assert clinic.why("1001")["not_started"] == (None, "blind")
    with clinic.practice.store.read() as connection:
        together = cases.shared(clinic.practice, connection, NOW)
        (row,) = cases.digests(connection, [clinic.id_of("1001")])
    (verdict,) = [v for v in together.look(row).said if v.kind == "not_started"]
    assert verdict.facts == (NO_APPOINTMENTS,)


def test_what_turns_out_once_appointments_are_told_of_is_a_list(a_clinic):
    clinic = a_clinic(calendars=())
    for number in ("1001", "1002"):
        clinic.client(number, **ASKED)
    clinic.sync()
    clinic.look()
    clinic.seen("1002", days_ago(60), days_ago(53), days_ago(40))
    clinic.sync(NOW + DAY)
    decided = clinic.look(NOW + DAY)
    assert decided.notices == 0
    assert opened(clinic) == {("1001", "not_started"): "day_one", ("1002", "quiet"): "day_one"}


def test_history_that_a_known_source_tells_of_later_is_a_list(a_clinic):
    clinic = a_clinic(calendars=("cal",))
    clinic.client("1001")
    clinic.client("1002", code="C-SVJTQX7")
    clinic.entry("cal", "u1", NOW + 3 * DAY, "C-SVJTQX7")
    clinic.sync()
    clinic.look()
    clinic.seen("1001", days_ago(54), days_ago(47), days_ago(40))
    clinic.sync(NOW + HOUR)
    assert clinic.look(NOW + HOUR).notices == 0
    assert opened(clinic) == {("1001", "quiet"): "day_one"}
    # What comes about later is news.
    clinic.seen("1002", NOW - DAY, NOW - 8 * DAY, NOW - 15 * DAY)
    clinic.drop("cal", "u1")
    clinic.sync(NOW + 2 * HOUR)
    clinic.look(NOW + 2 * HOUR)
    clinic.sync(NOW + 20 * DAY)
    assert clinic.look(NOW + 20 * DAY).notices == 1
