"""Whatever is said of an ending in whatever order: nothing of it leaves after it was withdrawn, and nothing reaches who has died."""

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
from models.invitations import CLIENT, Wanted
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


def stands(clinic, number):
    """Where their newest ending stands."""
    client = clinic.id_of(number)
    mine = [row for row in clinic.rows(TerminationRow) if row.client_id == client]
    return max(mine, key=lambda row: row.nth).state if mine else ""


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(st.sampled_from(sorted(SAID)), min_size=3, max_size=9))
def test_nothing_leaves_after_it_was_withdrawn_or_the_client_died(team, mailbox, told):
    number, at, died = "1001", team.now[0], False
    for word in (*told, "a day"):
        at += HOUR if word != "a day" else DAY
        try:
            SAID[word](team, at)
            died = word in KILLS or (died and word not in ("opened again", "withdrawn"))
        except UsageError:
            pass
        if word != "a day":
            continue
        before = len(read_mails(mailbox.folder))
        state = stands(team, number)
        deliver(team.practice, at, "test")
        for mail in read_mails(mailbox.folder)[before:]:
            told_client = mail.to.startswith("anna")
            assert not (died and told_client), told
            is_invited = "METHOD:REQUEST" in mail.parsed.as_string() or 'method="REQUEST"' in mail.parsed.as_string()
            assert not (told_client and is_invited and state not in OPEN), told
            if "The ending is confirmed" in mail.text:
                assert (died, state) == (False, "going"), told
            if "An ending waits for you" in mail.text:
                assert (died, state) == (False, "waiting"), told
    for word in ("opened again", "withdrawn"):  # so that the next example begins with somebody who lives
        try:
            SAID[word](team, at + 60)
        except UsageError:
            pass
    team.now[0] = at + DAY
