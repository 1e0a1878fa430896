"""Channels: one Apprise object per target, failures that name it, and logs that keep secrets."""

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from apprise import Apprise

from integrations.messages.channels import Kind, Receipt, check, hand_over, open_channel
from integrations.messages.mail import HandoverUnknownError, SmtpServer, Tls, message_id_of
from integrations.messages.mailbox import Mailbox
from integrations.messages.plugin import PracticeMail, register, smtp_url
from models.disclosure import Disclosure
from models.errors import DeliveryError, SettingsError
from tests.integrations.messages.samples import AT, CODE, a_message
from tests.integrations.messages.servers import HANG_UP, free_port, scripted, web

SENDER = "desk@northside.example"
THERAPIST = "kim.therapist@northside.example"
PASSWORD = "p&ss:w/rd@ä %41+"


def nothing() -> None:
    """No ledger to write."""


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with Mailbox(tmp_path / "mail") as running:
        yield running


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All that any library logs, down to the finest level."""
    caplog.set_level(1)
    for name in ("apprise", "urllib3", "urllib3.connectionpool"):
        caplog.set_level(1, logger=name)
    return caplog


def test_mail_goes_through_apprise_and_returns_a_receipt(mailbox: Mailbox) -> None:
    channel = open_channel("mail", mailbox.url(SENDER, "Northside"))
    thread: list[int] = []
    receipt = hand_over(
        channel, a_message(), lambda: thread.append(threading.get_ident()), key="message:7", at=AT, to=THERAPIST
    )
    assert receipt == Receipt("mail", message_id_of("message:7", SENDER), 250)
    assert thread == [threading.get_ident()]
    assert channel.kind is Kind.mail
    assert channel.ceiling is Disclosure.clinical
    (mail,) = mailbox.mails()
    assert (mail.to, mail.message_id) == (THERAPIST, receipt.message_id)


def test_apprise_knows_our_scheme_and_sends_nothing_by_itself(mailbox: Mailbox) -> None:
    register()
    register()
    service = Apprise.instantiate(mailbox.url(SENDER))
    assert isinstance(service, PracticeMail)
    assert not Apprise(service).notify(title="x", body="y")
    assert not mailbox.mails()


@pytest.mark.parametrize("tls", list(Tls))
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_url_carries_every_setting_and_back(tls: Tls, host: str) -> None:
    register()
    server = SmtpServer(host, 2525, tls, SENDER, "Praxis Müller & Co", "desk@x", PASSWORD, 7.5, "/etc/ca file.pem")
    service = Apprise.instantiate(smtp_url(server))
    assert isinstance(service, PracticeMail)
    assert service.server == server
    again = Apprise.instantiate(service.url())
    assert isinstance(again, PracticeMail)
    assert again.server == server
    assert quote(PASSWORD, safe="") in service.url()
    assert quote(PASSWORD, safe="") not in service.url(privacy=True)


def test_a_bare_url_wants_starttls_on_the_submission_port() -> None:
    register()
    service = Apprise.instantiate(f"tendingsmtp://mail.example/?from={SENDER}")
    assert isinstance(service, PracticeMail)
    assert (service.server.tls, service.server.port) == (Tls.starttls, 587)
    service = Apprise.instantiate(f"tendingsmtps://mail.example/?from={SENDER}")
    assert isinstance(service, PracticeMail)
    assert (service.server.tls, service.server.port) == (Tls.tls, 465)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no url",
        "nosuchscheme://tok3n@host",
        "tendingsmtp://u:tok3n@mail.example/",
        f"tendingsmtp://u:tok3n@mail.example/?from={SENDER}&tls=maybe",
        f"tendingsmtp://u:tok3n@mail.example/?from={SENDER}&tls=none",
        f"tendingsmtp://u:tok3n@mail.example/?from={SENDER}&timeout=soon",
        "json://",
        "tgram://123456789:tok3n_abcdefghijklmnopqrstuvwxyzABCDE/1111/2222/",
    ],
)
def test_a_url_that_does_not_fit_is_refused_by_the_channels_name(url: str, logs: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SettingsError, match=r"[Cc]hannel night watch") as refused:
        open_channel("night watch", url)
    assert "tok3n" not in str(refused.value)
    assert refused.value.__context__ is None
    assert "tok3n" not in logs.text


def test_of_two_targets_the_failing_one_is_named(mailbox: Mailbox) -> None:
    good = open_channel("mail", mailbox.url(SENDER))
    with scripted(RCPT="550 no such person") as server:
        bad = open_channel("old server", smtp_url(SmtpServer("127.0.0.1", server.port, Tls.none, SENDER)))
        hand_over(good, a_message(), nothing, key="1", at=AT, to=THERAPIST)
        with pytest.raises(DeliveryError, match="Channel old server") as refused:
            hand_over(bad, a_message(), nothing, key="1", at=AT, to=THERAPIST)
    assert not refused.value.temporary
    assert len(mailbox.mails()) == 1


def test_nobody_knows_comes_through_apprise() -> None:
    with scripted(content=HANG_UP) as server:
        channel = open_channel("mail", smtp_url(SmtpServer("127.0.0.1", server.port, Tls.none, SENDER)))
        with pytest.raises(HandoverUnknownError, match="Channel mail"):
            hand_over(channel, a_message(), nothing, key="1", at=AT, to=THERAPIST)
    assert len(server.mails) == 1


def test_what_the_ledger_raises_comes_out_unchanged_and_nothing_is_sent(mailbox: Mailbox) -> None:
    class NoLongerTrueError(Exception):
        pass

    def before() -> None:
        raise NoLongerTrueError

    with web(200) as (port, bodies):
        for channel in (open_channel("mail", mailbox.url(SENDER)), open_channel("push", f"json://127.0.0.1:{port}/")):
            with pytest.raises(NoLongerTrueError):
                hand_over(channel, a_message(), before, key="1", at=AT, to=THERAPIST)
            with pytest.raises(NoLongerTrueError):
                hand_over(channel, a_message(), before, key="1", at=AT, to=THERAPIST)
    assert not bodies
    assert not mailbox.mails()


def test_another_service_gets_a_count_and_no_code() -> None:
    with web(200) as (port, bodies):
        channel = open_channel("push", f"json://127.0.0.1:{port}/tok3n?retry=3&optional=yes")
        announced: list[str] = []
        receipt = hand_over(channel, a_message(), lambda: announced.append("x"), key="1", at=AT)
    assert receipt == Receipt("push", "", 0)
    assert announced == ["x"]
    (body,) = bodies
    shown = json.loads(body)
    assert (shown["title"], shown["message"]) == (
        "Northside: 1 item",
        "1 item for you. What it is stands in your mail or at the desk.",
    )
    assert CODE.encode() not in body
    assert (channel.kind, channel.ceiling) == (Kind.brief, Disclosure.public)


def test_another_service_that_fails_is_named_tried_once_and_keeps_its_token(logs: pytest.LogCaptureFixture) -> None:
    with web(503) as (port, bodies):
        channel = open_channel("push", f"json://user:tok3nA@127.0.0.1:{port}/tok3nB?retry=3&optional=yes")
        with pytest.raises(DeliveryError, match="Channel push") as refused:
            hand_over(channel, a_message(), nothing, key="1", at=AT)
    assert refused.value.temporary
    assert len(bodies) == 1
    assert "tok3n" not in logs.text + str(refused.value) + repr(channel)
    assert "Channel push: the service reported a problem" in logs.text


def test_no_secret_and_no_code_in_any_log(mailbox: Mailbox, logs: pytest.LogCaptureFixture) -> None:
    logging.getLogger("apprise").warning("a library logs as before while no channel is in use")
    with scripted(AUTH="535 wrong password s3cret", RCPT=f"550 no {THERAPIST}") as server:
        for user, password in (("desk", "s3cret"), ("", "")):
            settings = SmtpServer("127.0.0.1", server.port, Tls.none, SENDER, user=user, password=password)
            channel = open_channel("mail", smtp_url(settings))
            with pytest.raises(DeliveryError) as refused:
                hand_over(channel, a_message(), nothing, key="1", at=AT, to=THERAPIST)
            assert "s3cret" not in str(refused.value) + repr(channel) + repr(vars(channel))
    hand_over(open_channel("mail", mailbox.url(SENDER)), a_message(), nothing, key="1", at=AT, to=THERAPIST)
    for leak in ("s3cret", THERAPIST, CODE):
        assert leak not in logs.text
    assert "a library logs as before" in logs.text


def test_a_channel_can_be_asked_without_sending(mailbox: Mailbox) -> None:
    channel = open_channel("mail", mailbox.url(SENDER))
    assert check(channel) == "Channel mail: The mail server answers without TLS."
    assert not mailbox.mails()
    with web(200) as (port, bodies):
        assert "URL is understood" in check(open_channel("push", f"json://127.0.0.1:{port}/"))
    assert not bodies
    gone = open_channel("mail", smtp_url(SmtpServer("127.0.0.1", free_port(), Tls.none, SENDER)))
    with pytest.raises(DeliveryError, match="Channel mail: The mail server cannot be reached"):
        check(gone)


def test_several_threads_may_use_one_channel(mailbox: Mailbox) -> None:
    channel = open_channel("mail", mailbox.url(SENDER))
    keys = [f"message:{n}" for n in range(8)]
    threads = [
        threading.Thread(
            target=hand_over, args=(channel, a_message(), nothing), kwargs={"key": key, "at": AT, "to": THERAPIST}
        )
        for key in keys
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {mail.message_id for mail in mailbox.mails()} == {message_id_of(key, SENDER) for key in keys}
