"""The nightly comparison: one notice however many differ, no false alarm by news in between, and no look that fails stops it."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import inspect

from integrations.delivery import PostRoom
from integrations.looks import look_after
from integrations.night import night
from integrations.store import changes, outbox
from integrations.store.claiming import due_bundles
from integrations.store.nightly import check_night
from integrations.store.reseal import reseal
from models.audit import Audit
from models.changes import Change, ChangeKind
from models.digest import Digest
from models.errors import SettingsError
from models.findings import Finding, Look
from models.instants import DAY, HOUR
from models.notices import Message
from models.noticing import ADMIN
from models.policy_layers import PolicyBook
from tests.builders import NOW, Clinic, days_ago, each

LATER = NOW + HOUR


@pytest.fixture
def many(a_clinic: Any) -> Clinic:
    """Twenty-five clients, looked at; nothing stands open."""
    clinic: Clinic = a_clinic()
    for number in range(1001, 1026):
        clinic.client(str(number))
        clinic.seen(str(number), *each(7, 6, days_ago(3)))
    clinic.sync()
    look_after(clinic.practice, NOW, "test")
    return clinic


def an_error_of_ours(clinic: Clinic, *numbers: str) -> None:
    """A finding that should stand does not, or the other way round: here one that nothing has cleared."""
    with clinic.practice.store.write() as connection:
        for number in numbers:
            row = {"client_id": clinic.id_of(number), "rule": "stalled", "kind": "quiet", "rule_version": 1}
            row |= {
                "generation": 1,
                "opened": "noticed",
                "opened_at": NOW,
                "reason": "quiet",
                "evidence": {"facts": []},
            }
            connection.execute(Finding.__table__.insert().values(row))


def damaged(clinic: Clinic, number: str) -> None:
    with clinic.practice.store.write() as connection:
        broken = Digest.__table__.update().where(Digest.client_id == clinic.id_of(number))
        connection.execute(broken.values(line=b"broken"))


def test_what_agrees_is_told_to_nobody(many):
    found = check_night(many.practice, LATER)
    assert (found.looked, found.differences, found.failed) == (25, (), ())
    assert many.notices(purpose="nightly_check") == []


def test_however_many_differ_it_is_one_notice(many):
    an_error_of_ours(many, *(str(n) for n in range(1001, 1026)))
    assert len(check_night(many.practice, LATER).differences) == 25
    (notice,) = many.notices(purpose="nightly_check")
    assert (notice.recipient, notice.client_id) == (ADMIN, None)
    assert len(notice.facts["differ"]) == 20
    assert notice.facts["differ_more"] == 5
    check_night(many.practice, LATER + HOUR)
    assert len(many.notices(purpose="nightly_check")) == 1
    check_night(many.practice, LATER + DAY)
    assert len(many.notices(purpose="nightly_check")) == 2


def test_the_one_mail_holds_both_evidences_of_those_named_and_the_count_of_the_rest(many):
    an_error_of_ours(many, *(str(n) for n in range(1001, 1026)))
    check_night(many.practice, LATER)
    post = PostRoom(many.practice)
    with many.practice.store.write() as connection:
        (bundle,) = due_bundles(many.practice, connection, LATER)
    message = post.claim(bundle, LATER, "me")
    assert message
    text = " ".join(message.payload["text"].split())
    assert text.count("On record: quiet. Found tonight: nothing.") == 20
    assert "5 more clients" in text


def test_a_damaged_row_keeps_nobody_from_being_compared_and_is_told_of(many):
    an_error_of_ours(many, "1002")
    damaged(many, "1001")
    found = check_night(many.practice, LATER)
    assert found.looked == 24
    assert [d.client_id for d in found.differences] == [many.id_of("1002")]
    assert found.failed == (many.id_of("1001"),)
    (notice,) = many.notices(purpose="nightly_check")
    assert len(notice.facts["failed"]) == len(notice.facts["differ"]) == 1
    post = PostRoom(many.practice)
    with many.practice.store.write() as connection:
        (bundle,) = due_bundles(many.practice, connection, LATER)
    message = post.claim(bundle, LATER, "me")
    assert message
    assert "Not looked at: C-" in message.payload["text"]


def test_a_damaged_row_does_not_keep_the_audit_from_being_sealed(many):
    many.arm()
    damaged(many, "1001")
    with many.practice.store.write() as connection:
        connection.execute(Look.__table__.update().values(next_look=LATER))
    checked = night(many.practice, LATER, "test")
    assert checked.audit_whole
    assert checked.night.failed == (many.id_of("1001"),)
    assert len(checked.put_off) == 1
    assert all(row.seal for row in many.rows(Audit))


def test_news_that_nobody_has_looked_at_yet_is_no_difference(many):
    an_error_of_ours(many, "1001", "1002")
    with many.practice.store.write() as connection:
        changes.tell(connection, ChangeKind.client_changed, "C", many.id_of("1001"), LATER)
        mine = Look.__table__.update().where(Look.client_id == many.id_of("1002"))
        connection.execute(mine.values(looked_at=LATER + 1))
    assert check_night(many.practice, LATER).differences == ()


def test_progress_is_told_by_how_many(many):
    told: list[int] = []
    check_night(many.practice, LATER, told.append)
    assert told == [25]


# ---------------------------------------------------------------- what is kept for a time only


def changed(clinic: Clinic, *, drained: int | None, told: bool) -> None:
    with clinic.practice.store.write() as connection:
        row = {"kind": ChangeKind.client_changed.value, "subject": "C", "client_id": None, "at": NOW}
        connection.execute(Change.__table__.insert().values(**row, drained_at=drained, event_sent=told))


def test_changes_are_forgotten_when_drained_and_told_long_ago_but_for_the_newest(a_clinic):
    clinic = a_clinic(policy="keep_changes_days = 10")
    now, long_ago = NOW + 20 * DAY, NOW + 10 * DAY - 1
    kept = [(None, False), (long_ago, False), (NOW + 10 * DAY, True), (long_ago, True)]
    for drained, told in [(long_ago, True), (long_ago, True), *kept]:
        changed(clinic, drained=drained, told=told)
    with clinic.practice.store.write() as connection:
        assert changes.prune(connection, now - 10 * DAY) == 2
    assert [(c.drained_at, c.event_sent) for c in clinic.rows(Change)] == kept
    numbers = [c.id for c in clinic.rows(Change)]
    changed(clinic, drained=None, told=False)
    assert clinic.rows(Change)[-1].id > max(numbers)
    night(clinic.practice, now, "test")
    assert [c.event_sent for c in clinic.rows(Change)] == [False, False, True, False]


def test_the_text_of_a_message_is_forgotten_some_time_after_it_was_settled(a_clinic):
    clinic = a_clinic(policy="keep_messages_days = 10")
    text = clinic.practice.vault.seal({"text": "what was sent"})
    settled = {"sent": True, "released": True, "dropped": True, "failed": False, "unsure": False, "claimed": False}
    with clinic.practice.store.write() as connection:
        for old, state in product((True, False), settled):
            row = {"recipient": ADMIN, "channel": "mail", "message_id_header": f"{state} {old}", "sealed": text}
            row |= {"urgency": "system", "state": state, "claimed_at": NOW, "settled_at": NOW if old else NOW + DAY}
            row |= {"claimed_by": "me", "problem": ""}
            connection.execute(Message.__table__.insert().values(row))
    with clinic.practice.store.write() as connection:
        assert outbox.forget_texts(connection, NOW + 1, most=2) == 2
        assert outbox.forget_texts(connection, NOW + 1) == 1
        assert outbox.forget_texts(connection, NOW + 1) == 0
    for message in clinic.rows(Message):
        assert (message.sealed == b"") is (settled[message.state] and message.settled_at == NOW)
    assert reseal(clinic.practice.store, clinic.practice.vault) == 0


def test_how_long_things_are_kept_asks_for_no_new_look(a_clinic):
    assert PolicyBook({"keep_changes_days": 3}).fingerprint() == PolicyBook().fingerprint()
    with pytest.raises(SettingsError, match="holds for the whole practice"):
        PolicyBook(therapists={"T1": {"keep_messages_days": 3}})


def test_others_are_told_of_changes_by_an_index(a_clinic):
    """Not by reading every change there ever was, each time."""
    clinic = a_clinic()
    with clinic.practice.store.read() as connection:
        names = {index["name"] for index in inspect(connection).get_indexes("change")}
        assert "ix_change_untold" in names
        if connection.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN SELECT * FROM change WHERE drained_at IS NOT NULL AND event_sent = 0 ORDER BY id LIMIT 9"
            )
            assert any("ix_change_untold" in str(row) for row in plan)
