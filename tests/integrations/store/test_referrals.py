"""Referrals in the store: what is said is taken in once, refused with a sentence, kept sealed, rebuilt, and told of by files as well."""

import pytest
from sqlalchemy import update

from integrations import answering, referring
from integrations.store import providers, referrals
from integrations.store.rebuild import rebuild
from integrations.store.tables import table
from models.answers import Reply, answer
from models.audit import Audit
from models.directory import Provider
from models.errors import UsageError
from models.findings import Finding
from models.instants import DAY, HOUR
from models.observations import Observation
from models.quarantine import Quarantine
from models.referral_acts import ReferralAct, What
from models.referral_row import ReferralRow
from models.told import unpacked
from tests.builders import NOW, days_ago, each

SENDING = ("chosen", "consented", "sent")


@pytest.fixture
def referring_clinic(clinic):
    """Anna Müller (1001 of T1), and a directory of four."""
    clinic.provider("P1", "P2", "P3", "P4")
    clinic.sync()
    clinic.look()
    return clinic


def stands(clinic, number="1001"):
    with clinic.practice.store.read() as connection:
        return referrals.of_client(connection, clinic.id_of(number))


def row(clinic):
    (found,) = clinic.rows(ReferralRow)
    return found


def send(clinic, now=NOW, provider="P1"):
    for what in SENDING:
        clinic.refer("1001", what, now, provider=provider, reason="client", part2=True)


def test_what_is_said_follows_and_is_kept_in_rows_and_digest(referring_clinic):
    clinic = referring_clinic
    before = len(audit_of(clinic))  # the record of one test is not emptied for the next
    clinic.offer("1001")
    send(clinic, NOW + DAY)
    assert (row(clinic).state, row(clinic).status, row(clinic).provider_id) == ("sent", "2", "P1")
    assert (row(clinic).therapist_id, row(clinic).since) == ("T1", NOW + DAY)
    (told,) = unpacked(clinic.digest("1001").told).referrals
    assert (told.begun_at, told.agreed) == (NOW + DAY, 1)
    acts = [(a.act, a.details) for a in audit_of(clinic)[before:]]
    assert acts == [(f"referral {what}", {"referral": "R-1"}) for what in ("offered", *SENDING)]


def audit_of(clinic):
    return [a for a in clinic.rows(Audit) if a.act.startswith("referral")]


def test_what_does_not_fit_changes_nothing_and_news_is_kept_all_the_same(referring_clinic):
    clinic = referring_clinic
    clinic.offer("1001")
    before = clinic.rows(Observation), row(clinic)
    for what in ("consented", "sent", "fits"):
        with pytest.raises(UsageError):
            clinic.refer("1001", what, NOW + 60, provider="P1", reason="client", fits=True)
    assert (clinic.rows(Observation), row(clinic)) == before
    early = clinic.refer("1001", "news", NOW + 60, word="accepted", provider="P1")
    assert early.unmoved_because.startswith("Nothing was sent")
    assert (row(clinic).state, row(clinic).aside) == ("offered", 1)
    send(clinic, NOW + HOUR)
    wrong = clinic.refer("1001", "news", NOW + 2 * HOUR, word="declined", provider="P2")
    assert "another provider now" in wrong.unmoved_because
    clinic.refer("1001", "refused", NOW + 3 * HOUR)
    late = clinic.refer("1001", "news", NOW + 4 * HOUR, word="accepted", provider="P1")
    assert "is closed (the client said no)" in late.unmoved_because
    (one,) = stands(clinic)
    assert (one.state, len(one.aside), len(one.acts)) == ("refused", 3, 5)


def test_said_again_under_the_same_id_it_is_said_once(referring_clinic):
    clinic = referring_clinic
    act = ReferralAct("R-9", What.offered, NOW, by="test", providers=("P1", "P2", "P3"))
    for _ in range(2):
        with clinic.practice.store.write() as connection:
            referring.say(clinic.practice, connection, clinic.id_of("1001"), act, NOW, act_id="abc")
    assert len(clinic.rows(Observation, kind="referral")) == 1
    assert row(clinic).state == "offered"


def test_who_is_not_in_the_directory_is_not_offered_and_who_has_died_is_offered_nobody(referring_clinic):
    clinic = referring_clinic
    with pytest.raises(UsageError, match="not in the directory"):
        clinic.offer("1001", providers=("P1", "P2", "P9"))
    clinic.clients[0] |= {"died": "yes"}
    clinic.sync(NOW + HOUR)
    with pytest.raises(UsageError, match="has died"):
        clinic.offer("1001", NOW + HOUR)
    assert clinic.rows(ReferralRow) == []


def test_part_2_stays_with_the_client_and_blocks_what_is_sent(referring_clinic):
    clinic = referring_clinic
    clinic.offer("1001", part2=True)
    clinic.refer("1001", "refused", NOW + 60)
    clinic.offer("1001", NOW + HOUR, "R-2")
    for what in ("chosen", "consented"):
        clinic.refer("1001", what, NOW + HOUR, "R-2", provider="P1", reason="client")
    with pytest.raises(UsageError, match="42 CFR Part 2"):
        clinic.refer("1001", "sent", NOW + HOUR, "R-2", provider="P1")
    clinic.refer("1001", "consented", NOW + HOUR, "R-2", provider="P1", reason="client", part2=True)
    with clinic.practice.store.write() as connection:
        stood = referrals.find(connection, clinic.id_of("1001"), "R-2")
        text, said = referring.send(clinic.practice, connection, clinic.id_of("1001"), "C-X", stood, "test", NOW + DAY)
    assert "42 CFR part 2 prohibits unauthorized use or disclosure of these records." in text
    assert said.referral.status == "2"


def test_what_a_consent_is_for_and_the_letter_are_sealed(referring_clinic):
    clinic = referring_clinic
    clinic.offer("1001")
    clinic.refer("1001", "chosen", provider="P1")
    act = ReferralAct("R-1", What.consented, NOW, by="test", provider="P1", reason="client")
    with clinic.practice.store.write() as connection:
        secret = {"purpose": "Name und Grund, Frau Ünal ruft an"}
        referring.say(clinic.practice, connection, clinic.id_of("1001"), act, NOW, secret=secret)
        stood = referrals.find(connection, clinic.id_of("1001"), "R-1")
        text, _ = referring.send(clinic.practice, connection, clinic.id_of("1001"), "C-7F3K9QX", stood, "test", NOW)
        open_rows = connection.exec_driver_sql("SELECT facts, hints FROM observation WHERE kind = 'referral'").all()
        given = referrals.purposes(clinic.practice, connection, clinic.id_of("1001"), "R-1")
    assert [what for _, what in given] == ["Name und Grund, Frau Ünal ruft an"]
    assert "Ünal" not in str(open_rows)
    assert "Praxis P1" in text
    assert "Praxis" not in str(open_rows)
    assert "Anna" not in text
    assert "Referral R-1, our code C-7F3K9QX" in text
    assert "2026" in text.split("\n")[1], "a letter has its year"
    long = {"purpose": "x" * 201}
    with clinic.practice.store.write() as connection, pytest.raises(UsageError, match="at most 200"):
        referring.say(clinic.practice, connection, clinic.id_of("1001"), act, NOW, secret=long)


def test_deriving_again_changes_nothing_and_mends_a_row(referring_clinic):
    clinic = referring_clinic
    clinic.offer("1001")
    send(clinic)
    clinic.refer("1001", "news", NOW + DAY, word="accepted", provider="P1")
    before = clinic.rows(ReferralRow), clinic.rows(Provider)
    assert rebuild(clinic.practice, NOW + DAY, dry_run=False).differed == ()
    assert (clinic.rows(ReferralRow), clinic.rows(Provider)) == before
    with clinic.practice.store.write() as connection:
        connection.execute(update(table(ReferralRow)).values(state="fits"))
        connection.execute(update(table(Provider)).values(capacity="full"))
    assert rebuild(clinic.practice, NOW + DAY, dry_run=True).differed
    assert rebuild(clinic.practice, NOW + DAY, dry_run=False).differed
    assert (clinic.rows(ReferralRow), clinic.rows(Provider)) == before


def test_a_past_day_is_told_as_it_was_known_then(referring_clinic):
    clinic = referring_clinic
    clinic.offer("1001")
    clinic.refer("1001", "self-arranged", NOW + DAY, provider="P1")
    clinic.refer("1001", "news", NOW + 9 * DAY, word="accepted", provider="P1")
    asked = clinic.why("1001", NOW + 9 * DAY, known_at=NOW + 9 * DAY - 1)["referral_follow_up"]
    assert asked == (True, "asks")
    assert clinic.why("1001", NOW + 9 * DAY)["referral_follow_up"] == (False, "in_time")


def test_the_directory_follows_its_file(referring_clinic):
    clinic = referring_clinic
    first = clinic.rows(Provider)
    clinic.sync(NOW + HOUR)
    assert clinic.rows(Provider) == first
    clinic.providers[0] |= {"capacity": "full", "name": "Praxis Neu"}
    clinic.providers.pop()
    clinic.sync(NOW + 2 * HOUR)
    with clinic.practice.store.read() as connection:
        now = {one.id: one.capacity for one in providers.listed(connection)}
        assert now == {"P1": "full", "P2": "open", "P3": "open"}
        assert providers.contacts(connection, clinic.practice.vault)["P1"].name == "Praxis Neu"
        in_the_open = str(connection.exec_driver_sql("SELECT id, place, specialty FROM provider").all())
    assert "Praxis" not in in_the_open


def test_a_provider_who_is_there_twice_or_nowhere_lies_in_quarantine_and_the_rest_is_read(referring_clinic):
    clinic = referring_clinic
    clinic.provider("P5", name="Praxis P4")
    clinic.provider("P6", place="")
    taken = clinic.sync(NOW + HOUR)["records"]
    assert taken.rejected == 3
    with clinic.practice.store.read() as connection:
        # P4 is doubtful, not gone: it was read before.
        assert [one.id for one in providers.listed(connection)] == ["P1", "P2", "P3", "P4"]
    assert len(clinic.rows(Quarantine)) == 3


def news(clinic, word, told, client="1001", **more):
    row = {"client": client, "referral": "R-1", "provider": "P1", "news": word, "told": told, "visit": ""}
    clinic.referral_news.append(row | more)


def test_news_from_a_file_moves_it_once_and_stays_when_the_file_forgets_it(referring_clinic):
    clinic = referring_clinic
    clinic.offer("1001", NOW - 9 * DAY)
    send(clinic, NOW - 8 * DAY)
    news(clinic, "accepted", "2026-11-17")
    clinic.sync(NOW)
    assert row(clinic).status == "3"
    for hours in (1, 2):
        clinic.sync(NOW + hours * HOUR)
    assert (row(clinic).status, row(clinic).aside) == ("3", 0)
    news(clinic, "scheduled", "2026-11-20", visit="2026-12-01")
    clinic.sync(NOW + 3 * HOUR)
    assert (row(clinic).status, row(clinic).heard) == ("5.1.1", 2)
    clinic.referral_news.clear()
    news(clinic, "full", "2026-11-22", provider="P2")
    clinic.sync(NOW + 4 * HOUR)
    assert (row(clinic).status, row(clinic).aside) == ("5.1.1", 1)
    assert rebuild(clinic.practice, NOW + DAY, dry_run=True).differed == ()


def test_news_of_no_referral_is_kept_and_listed_and_changes_nothing(referring_clinic):
    clinic = referring_clinic
    clinic.client("1002", "Ben Ünal")
    news(clinic, "accepted", "2026-11-17")
    news(clinic, "accepted", "2026-11-17", client="1002", referral="R-77")
    clinic.sync(NOW)
    assert clinic.rows(ReferralRow) == []
    with clinic.practice.store.read() as connection:
        assert sorted(reference for _, reference, _ in referrals.stray(connection)) == ["R-1", "R-77"]
    # Too early: it is kept, and the offer that comes later stands on its own.
    clinic.offer("1001", NOW + HOUR)
    assert (row(clinic).state, row(clinic).aside) == ("offered", 1)


def test_an_answer_puts_the_question_off_and_ends_nothing(referring_clinic):
    clinic = referring_clinic
    clinic.clients[0] |= {"status": "ended", "ended date": "2026-11-20"}
    clinic.sync(NOW)
    clinic.offer("1001", NOW)
    clinic.refer("1001", "self-arranged", NOW, provider="P1")
    clinic.look(NOW + 7 * DAY)
    (finding,) = clinic.rows(Finding, kind="referral_follow_up")
    with clinic.practice.store.write() as connection:
        given = answer("referral_follow_up", Reply.done, NOW + 8 * DAY)
        answering.say(clinic.practice, connection, finding.client_id, given, "therapist:T1", NOW + 8 * DAY)
    (after,) = clinic.rows(Finding, kind="referral_follow_up")
    assert (after.cleared_at, after.answered, after.climbs_at) == (None, True, None)
    clinic.look(NOW + 14 * DAY)
    (again,) = clinic.rows(Finding, kind="referral_follow_up")
    assert (again.generation, again.answered) == (2, False)
    assert [n.urgency for n in clinic.notices()] == ["duty", "duty"]
    clinic.refer("1001", "attended", NOW + 15 * DAY, day=NOW + 14 * DAY)
    clinic.refer("1001", "fits", NOW + 15 * DAY, fits=True)
    (closed,) = clinic.rows(Finding, kind="referral_follow_up")
    assert closed.cleared_at == NOW + 15 * DAY


def test_other_rules_stay_silent_of_whom_care_has_ended(referring_clinic):
    clinic = referring_clinic
    clinic.clients[0] |= {"status": "ended"}
    clinic.seen("1001", *each(7, 6, days_ago(40)))
    clinic.sync(NOW)
    clinic.offer("1001", NOW)
    clinic.look(NOW + 7 * DAY)
    assert clinic.findings() == {("1001", "referral_follow_up")}
