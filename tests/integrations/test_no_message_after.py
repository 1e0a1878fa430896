"""Whatever is said of an ending in whatever order: nothing of it leaves after it was withdrawn, and nothing reaches who has died."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.delivery import deliver
from integrations.messages.mailbox import Mailbox, read_mails
from integrations.store import invitations, last_look
from integrations.store.ending_schedule import ABOUT
from models.ending_acts import OPEN, State
from models.errors import UsageError
from models.instants import DAY, HOUR
from models.invitations import CLIENT, Invitation, InvitationState, Wanted
from models.terminations import TerminationRow
from tests.builders import NOW, ZONE
from tests.integrations.test_endings import T1, T2, make, say, start

SAID = {
    "begun": lambda clinic, at: start(clinic, "poor-fit", at),
    "wished": lambda clinic, at: start(clinic, "wish", at),
    "confirmed": lambda clinic, at: say(clinic, "confirmed", at, by=T2, personal="no"),
    "stopped": lambda clinic, at: say(clinic, "confirmed", at, by=T2, personal="yes"),
    "declined": lambda clinic, at: say(clinic, "declined", at, by=T2),
    "withdrawn": lambda clinic, at: say(clinic, "withdrawn", at),
    "died": lambda clinic, at: start(clinic, "death", at),
    "could not, died": lambda clinic, at: say(clinic, "could-not", at, step="referral", reason="died"),
    "opened again": lambda clinic, at: say(clinic, "reopened", at, step="referral"),
    "invited": lambda clinic, at: invite(clinic, at),
    "called off": lambda clinic, at: call_off(clinic, at),
    "a day": lambda clinic, at: None,
}
KILLS = ("died", "could not, died")


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        yield mailbox


@pytest.fixture
def team(a_clinic, mailbox):
    clinic = make(a_clinic, mailbox)
    clinic.clients[0]["contact"] = "anna@example.net"
    clinic.sync(NOW)
    clinic.now = [NOW]  # each example goes on where the one before stopped
    return clinic


def invite(clinic, now):
    """For their ending a person invites the therapist and, approved, the client."""
    open_ones = [row for row in clinic.rows(TerminationRow) if State(row.state) in OPEN]
    if not open_ones:
        return
    client, about = open_ones[-1].client_id, f"{ABOUT}{open_ones[-1].ending}"
    with clinic.practice.store.write() as connection:
        code, _ = last_look.whose(connection, client)
        wish = Wanted.at(now + 30 * DAY, 50, ZONE, "Appointment", "")
        uid = invitations.want(clinic.practice, connection, client, T1, wish, now, about=about)
        to = f"{CLIENT}{code}"
        invitations.want(clinic.practice, connection, client, to, wish, now, uid=uid, about=about, approved="anna")


def call_off(clinic, now):
    """A person calls off what the client was invited to, and approves that the client is told."""
    with clinic.practice.store.write() as connection:
        for row in clinic.rows(Invitation):
            if row.recipient.startswith(CLIENT) and row.end_at > now:
                invitations.call_off(clinic.practice, connection, row.uid, row.recipient, now, approved="anna")


def stands(clinic, number):
    """Where their newest ending stands."""
    client = clinic.id_of(number)
    mine = [row for row in clinic.rows(TerminationRow) if row.client_id == client]
    return max(mine, key=lambda row: row.nth).state if mine else ""


LETTING = ("opened again", "withdrawn")  # so that the next example begins with somebody who lives


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(st.sampled_from(sorted(SAID)), max_size=4),
    first=st.sampled_from(((), ("a day",))),
    dies=st.sampled_from(((), ("could not, died",), ("withdrawn", "died"))),
    then=st.sampled_from(("invited", "called off")),
)
def one_after_another(team, mailbox, seen, told, first, dies, then):
    """Each example begins with an approved invitation that waits, and ends with one more, or with theirs called off, by somebody who does
    not know yet that the client has died."""
    number, at, died = "1001", team.now[0], False
    for word in ("wished", "invited", *first, *told, *dies, then, "a day"):
        at += HOUR if word != "a day" else DAY
        try:
            SAID[word](team, at)
            died = word in KILLS or (died and word not in LETTING)
        except UsageError:
            pass
        if word != "a day":
            continue
        before, waited = len(read_mails(mailbox.folder)), waiting(team)
        state = stands(team, number)
        deliver(team.practice, at, "test")
        mails = read_mails(mailbox.folder)[before:]
        to_client = [mail for mail in mails if mail.to.startswith("anna")]
        seen["told"] += len(to_client)
        seen["held back after death"] += died and waited > 0 and not to_client
        for mail in mails:
            told_client = mail in to_client
            assert not (died and told_client), told
            is_invited = "METHOD:REQUEST" in mail.parsed.as_string() or 'method="REQUEST"' in mail.parsed.as_string()
            assert not (told_client and is_invited and state not in OPEN), told
            if "The ending is confirmed" in mail.text:
                assert (died, state) == (False, "going"), told
            if "An ending waits for you" in mail.text:
                assert (died, state) == (False, "waiting"), told
    for word in LETTING:
        try:
            SAID[word](team, at + 60)
        except UsageError:
            pass
    team.now[0] = at + DAY


def waiting(clinic):
    """How many invitations of the client's wait to be told of a day ahead."""
    return sum(
        row.recipient.startswith(CLIENT) and row.state == InvitationState.waiting for row in clinic.rows(Invitation)
    )


def test_nothing_leaves_after_it_was_withdrawn_or_the_client_died(team, mailbox):
    seen = Counter()
    one_after_another(team, mailbox, seen)
    assert seen["told"] >= 2, "else it shows nothing of what is held back"
    assert seen["held back after death"] >= 2
