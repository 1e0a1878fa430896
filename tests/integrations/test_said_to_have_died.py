"""Whoever is said to have died, by the reason of an ending or by why a step could not be done, is dead to everything that faces clients."""

from types import SimpleNamespace

import pytest

from integrations.delivery import deliver
from integrations.messages.mailbox import Mailbox
from integrations.store import invitations, inviting, last_look, lookups, terminations, timeline
from integrations.store.rebuild import rebuild
from models.errors import UsageError
from models.instants import DAY, HOUR
from models.invitations import CLIENT, Invitation, Method, Wanted
from tests.builders import NOW, ZONE
from tests.integrations.test_endings import T1, mails, make, rows, say, start, stood


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        yield mailbox


@pytest.fixture
def team(a_clinic, mailbox):
    return make(a_clinic, mailbox)


def invite_client(clinic, now, number="1001"):
    """A person approves an invitation to the client, which waits to be sent."""
    client = clinic.id_of(number)
    with clinic.practice.store.write() as connection:
        code = last_look.whose(connection, client)[0]
        wish = Wanted.at(NOW + 9 * DAY, 50, ZONE, "Appointment", "")
        invitations.want(clinic.practice, connection, client, f"{CLIENT}{code}", wish, now, approved="anna")


def of_the_client(clinic, now, number="1001"):
    """What everything that faces a client reads: whether they have died, by the desk, the timeline and the outbox."""
    client = clinic.id_of(number)
    with clinic.practice.store.write() as connection:
        code = last_look.whose(connection, client)[0]
        about = lookups.about(connection, code)
        past, *_ = timeline.read(clinic.practice, connection, code, "anna", now, redacted=True)
        may = inviting.may_be_invited(
            clinic.practice, connection, client, f"{CLIENT}{code}", Method.request, now, approved=True
        )
        case = terminations.about(clinic.practice, connection, client, now).case
        one = SimpleNamespace(client_id=client, requires={}, audience="client", urgency="duty", recipient=T1)
        dead = last_look.LastLook(clinic.practice, connection, now, [one]).problem(one) == "the client has died"
    return {about.died, past.died, not may.allowed, case.died, dead}


@pytest.mark.parametrize("how", ["death", "could-not"])
def test_who_is_said_to_have_died_gets_nothing_any_more_until_that_is_taken_back(team, mailbox, how):
    team.clients[0]["contact"] = "anna@example.net"
    team.sync(NOW)
    invite_client(team, NOW)
    if how == "death":
        start(team, "death")
    else:
        start(team, "wish")
        assert of_the_client(team, NOW) == {False}
        say(team, "could-not", step="referral", reason="died")
    assert of_the_client(team, NOW + HOUR) == {True}
    assert (rows(team)[-1][:2], said_to_client(mailbox)) == (("going", "records"), [])
    deliver(team.practice, NOW + HOUR, "test")
    assert said_to_client(mailbox) == []
    assert [one.outcome for one in team.rows(Invitation)] == ["the client has died"]
    before = stood(team)
    rebuild(team.practice, NOW + HOUR, dry_run=False)
    assert (stood(team), of_the_client(team, NOW + HOUR)) == (before, {True})
    say(team, "done", NOW + HOUR, step="records")
    say(team, "closed", NOW + HOUR)
    assert of_the_client(team, NOW + HOUR) == {True}
    with pytest.raises(UsageError, match="`tending ending CLIENT withdraw` takes it back"):
        start(team, "wish", NOW + 2 * HOUR)
    say(team, "withdrawn", NOW + 2 * HOUR)
    assert of_the_client(team, NOW + 2 * HOUR) == {False}
    start(team, "wish", NOW + 2 * HOUR)


def test_a_step_that_could_not_be_done_because_of_a_death_can_be_opened_again(team):
    start(team, "wish")
    say(team, "could-not", step="referral", reason="died")
    with pytest.raises(UsageError, match="has died"):
        say(team, "done", step="letter")
    say(team, "reopened", NOW + 120, step="referral")
    assert (rows(team)[-1][:2], of_the_client(team, NOW + 120)) == (("going", "referral"), {False})


def said_to_client(mailbox):
    return [text for to, text in mails(mailbox) if to == "anna"]
