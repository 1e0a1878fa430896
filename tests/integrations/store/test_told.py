"""Goals, scores and holds from files to findings: they feed the case, outlive restarts and rebuilds, and are never anybody else's."""

from integrations.store import cases
from integrations.store.rebuild import rebuild
from models.findings import Finding
from models.instants import DAY, HOUR
from models.observations import Observation, Subject
from models.told import unpacked
from tests.builders import NOW, days_ago, each, in_days

LATER = NOW + DAY


def told(clinic, number):
    return unpacked(clinic.digest(number).told)


def test_goals_and_scores_reach_the_client_they_are_about(clinic):
    clinic.client("1002", "Berta Braun")
    clinic.goal("1001", "Wieder schlafen", set="2026-09-01", **{"target date": "2026-12-24"}, target="7 hours")
    clinic.score("1002", "PHQ-9", days_ago(2), 12, risk=0)
    clinic.score("1001", "SRS", days_ago(1), 38.5)
    clinic.sync()
    mine, hers = told(clinic, "1001"), told(clinic, "1002")
    assert (len(mine.goals), [s.hundredths for s in mine.scores]) == (1, [3850])
    assert (hers.goals, [(s.hundredths, s.risk) for s in hers.scores]) == ((), [(1200, 0)])
    assert {row.kind for row in clinic.rows(Subject)} == {"goal", "score"}
    with clinic.practice.store.read() as connection:
        everything = connection.exec_driver_sql("SELECT facts, hints FROM observation").all()
    assert "schlafen" not in str(everything)
    assert "7 hours" not in str(everything)


def test_read_again_nothing_is_new_and_rebuilding_changes_nothing(clinic):
    clinic.goal("1001", "Wieder schlafen", set="2026-09-01")
    clinic.score("1001", "SRS", days_ago(1), 38)
    clinic.holds.append({"client": "1001", "from": "2026-10-01", "to": ""})
    clinic.sync()
    before = clinic.rows(Observation)
    with clinic.practice.store.write() as connection:
        connection.exec_driver_sql("UPDATE source SET fingerprint = ''")
    clinic.sync(LATER)
    assert clinic.rows(Observation) == before
    assert rebuild(clinic.practice, LATER, dry_run=True).differed == ()


def test_a_goal_that_is_gone_is_gone_and_a_score_stays(clinic):
    clinic.goal("1001", "Wieder schlafen", set="2026-09-01")
    clinic.goal("1001", "Arbeiten", set="2026-09-01")
    clinic.score("1001", "SRS", days_ago(9), 38)
    clinic.score("1001", "SRS", days_ago(1), 39)
    clinic.sync()
    del clinic.goals[0], clinic.scores[0]
    clinic.sync(LATER)
    assert (len(told(clinic, "1001").goals), len(told(clinic, "1001").scores)) == (1, 2)


def test_scores_of_somebody_unknown_wait_for_the_client(clinic):
    clinic.score("1009", "PHQ-9", days_ago(1), 12, risk=0)
    clinic.sync()
    assert clinic.rows(Subject) == []
    clinic.client("1009", "Carl Conrad")
    clinic.sync(LATER)
    assert len(told(clinic, "1009").scores) == 1


def test_time_on_a_waiting_list_does_not_count(clinic):
    clinic.client("1002", status="intake", **{"intake date": "2026-10-26"})
    clinic.client("1003", status="intake", **{"intake date": "2026-10-26"})
    clinic.holds.append({"client": "1003", "from": "2026-10-27", "to": ""})
    clinic.entry("t1", "team", NOW + 60 * DAY, "Team day")
    clinic.sync()
    clinic.look()
    assert clinic.findings() == {("1002", "not_started")}
    clinic.holds[0]["to"] = "2026-11-01"
    clinic.sync(LATER)
    clinic.look(LATER)
    assert clinic.findings() == {("1002", "not_started"), ("1003", "not_started")}


def test_as_it_was_known_then(clinic):
    clinic.score("1001", "SRS", days_ago(9), 38)
    clinic.goal("1001", "Wieder schlafen", set="2026-09-01", reviewed="2026-09-01")
    clinic.sync()
    clinic.score("1001", "SRS", days_ago(1), 20)
    clinic.goals[0]["reviewed"] = "2026-11-20"
    clinic.sync(LATER)
    with clinic.practice.store.read() as connection:
        then = cases.digest_known(clinic.practice, connection, clinic.id_of("1001"), NOW)
        (now,) = cases.digests(connection, [clinic.id_of("1001")])
        fresh = cases.digest_known(clinic.practice, connection, clinic.id_of("1001"), LATER)
    assert fresh == now
    assert [s.hundredths for s in unpacked(then[-1]).scores] == [3800]
    assert unpacked(then[-1]).goals[0].reviewed_at < unpacked(now[-1]).goals[0].reviewed_at


def test_a_rejected_score_silences_no_rule_of_absence(clinic):
    clinic.seen("1001", *each(7, 6, days_ago(30)))
    clinic.score("1001", "PHQ-9", days_ago(1), 99)
    taken = clinic.sync()
    assert taken["records"].rejected == 1
    assert clinic.why("1001")["quiet"][0] is True


def risky(clinic, risk, at, **more):
    clinic.score("1001", "PHQ-9", at, 12, risk=risk, **more)


def test_a_risk_is_told_at_once_and_each_new_result_again(clinic):
    clinic.seen("1001", *each(7, 6, days_ago(3)))
    clinic.entry("t1", "next", in_days(200), "Anna Müller")
    risky(clinic, 0, days_ago(8))
    clinic.sync()
    clinic.look()
    assert clinic.findings() == set()
    at_night = NOW + 12 * HOUR
    risky(clinic, 1, at_night - HOUR)
    clinic.sync(at_night)
    clinic.look(at_night)
    (notice,) = clinic.notices(purpose="safety.item9")
    assert (notice.urgency, notice.not_before, notice.recipient) == ("safety", at_night, "therapist:T1")
    clinic.sync(at_night + HOUR)
    clinic.look(at_night + HOUR)
    assert len(clinic.notices(purpose="safety.item9")) == 1
    risky(clinic, 1, at_night + 2 * HOUR)  # as high as before, and another result
    clinic.sync(at_night + 3 * HOUR)
    clinic.look(at_night + 3 * HOUR)
    assert [n.generation for n in clinic.notices(purpose="safety.item9", step=0)] == [1, 2]
    risky(clinic, 0, at_night + DAY)
    clinic.sync(at_night + DAY + HOUR)
    clinic.look(at_night + DAY + HOUR)
    assert clinic.rows(Finding, kind="item9")[0].cleared_at == at_night + DAY + HOUR


def test_an_old_result_of_a_first_import_is_on_the_list_to_sort(clinic):
    risky(clinic, 2, days_ago(15))
    clinic.client("1002", "Berta Braun")
    clinic.score("1002", "C-SSRS", days_ago(13), "positive")
    clinic.sync()
    clinic.look()
    opened = {(clinic.numbers()[f.client_id], f.kind): f.opened for f in clinic.rows(Finding)}
    assert opened[("1001", "item9")] == "day_one"
    assert opened[("1002", "screen")] == "noticed"
    assert [n.purpose for n in clinic.notices()] == ["safety.screen"]


def test_a_score_that_cannot_be_read_is_told_of_at_once_and_once(clinic):
    clinic.score("1001", "PHQ-9", days_ago(1), 99)
    clinic.sync()
    clinic.sync(LATER)
    (notice,) = clinic.notices(purpose="scores_set_aside")
    assert (notice.recipient, notice.urgency, notice.not_before) == ("admin", "system", NOW)
    clinic.score("1001", "GAD-7", days_ago(1), -1)
    clinic.sync(LATER + DAY)
    assert [n.facts["count"] for n in clinic.notices(purpose="scores_set_aside")] == [1, 2]


def test_a_risk_of_somebody_unknown_is_told_to_the_administrator(clinic):
    clinic.score("1009", "C-SSRS", days_ago(1), "positive")
    clinic.score("1008", "C-SSRS", days_ago(1), "negative")
    clinic.sync()
    clinic.sync(LATER)
    (notice,) = clinic.notices(purpose="risk_unmatched")
    assert (notice.recipient, notice.urgency) == ("admin", "safety")
    clinic.client("1009", "Carl Conrad")
    clinic.sync(LATER + DAY)
    clinic.look(LATER + DAY)
    assert [n.purpose for n in clinic.notices(recipient="therapist:T1")] == ["safety.screen"]


def test_a_practice_that_begins_with_goals_gets_a_list_and_no_flood(clinic):
    for number in ("1002", "1003", "1004"):
        clinic.client(number)
    for number in ("1001", "1002", "1003", "1004"):
        clinic.seen(number, *each(7, 8, days_ago(3)))
        clinic.entry("t1", f"next{number}", in_days(30), f"Klara Nr{number}" if number != "1001" else "Anna Müller")
    clinic.sync()
    clinic.look()
    assert clinic.findings() == set()
    clinic.goal("1004", "Wieder schlafen", set="2026-11-20", reviewed="2026-11-20")
    clinic.score("1004", "SRS", days_ago(3), 39)
    clinic.sync(LATER)
    clinic.look(LATER)
    assert {kind for _, kind in clinic.findings()} == {"no_goal"}
    assert {f.opened for f in clinic.rows(Finding)} == {"day_one"}
    assert clinic.notices() == []
    # Whoever comes to their third appointment from then on is news.
    clinic.client("1005")
    clinic.seen("1005", *each(7, 2, NOW))
    clinic.entry("t1", "next1005", in_days(30), "Klara Nr1005")
    clinic.sync(LATER + DAY)
    clinic.look(LATER + DAY)
    clinic.seen("1005", NOW + 7 * DAY)
    for day in (7, 8):
        clinic.sync(NOW + day * DAY + HOUR)
        clinic.look(NOW + day * DAY + HOUR)
    assert {n.client_id for n in clinic.notices()} == {clinic.id_of("1005")}
    assert {n.purpose for n in clinic.notices()} == {"goal_review.no_goal", "trust.early_check"}
