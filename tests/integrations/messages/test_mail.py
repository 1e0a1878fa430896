"""Our SMTP sender against real servers: what is taken, refused, put off, and what nobody knows."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integrations.messages.mail import (
    Envelope,
    HandoverUnknownError,
    SmtpServer,
    Tls,
    build,
    message_id_of,
    probe,
    send,
)
from integrations.messages.mailbox import Keeper, Mailbox, read_mails
from models.errors import DeliveryError, SettingsError
from tests.integrations.messages.samples import AT, CODE, a_message, an_item
from tests.integrations.messages.servers import HANG_UP, free_port, scripted

SENDER = "desk@northside.example"
THERAPIST = "kim.therapist@northside.example"
SECRET = "s3cret-pässword"
SAID = "550 no kim.therapist@northside.example here"


def a_server(port: int, **other: Any) -> SmtpServer:
    usual: dict[str, Any] = {
        "host": "127.0.0.1",
        "tls": Tls.none,
        "sender": SENDER,
        "sender_name": "Northside",
        "timeout": 5,
    }
    return SmtpServer(port=port, **usual | other)


def an_envelope(to: str = THERAPIST, key: str = "message:1", **message: Any) -> Envelope:
    return Envelope(a_message(**message), to, message_id_of(key, SENDER), AT)


class Steps(list[str]):
    """Remembers that, and when, the hand-over was announced."""

    def __call__(self) -> None:
        self.append("before_handover")


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with Mailbox(tmp_path / "mail") as running:
        yield running


def test_a_mail_arrives_as_it_was_meant(mailbox: Mailbox) -> None:
    steps = Steps()
    assert send(an_envelope(), a_server(mailbox.port), steps) == 250
    assert steps == ["before_handover"]
    (mail,) = mailbox.mails()
    assert (mail.to, mail.subject) == (THERAPIST, "Northside: 1 item")
    assert mail.sender == f"Northside <{SENDER}>"
    assert mail.parsed["Date"].datetime == datetime.fromtimestamp(AT, UTC)
    assert mail.parsed["Auto-Submitted"] == "auto-generated"
    assert mail.parsed["X-Auto-Response-Suppress"] == "All"
    assert mail.parsed["Content-Language"] == "en-GB"
    assert mail.message_id == message_id_of("message:1", SENDER)
    assert (mail.text, mail.html.rstrip()) == (a_message().text, a_message().html)
    assert "\n.clears" in mail.html, "a line that begins with a dot, which SMTP needs doubled on the way"
    assert [part.get_content_type() for part in mail.parsed.iter_parts()] == ["text/plain", "text/html"]
    assert not any(CODE in value for value in mail.parsed.values())


def test_a_second_sending_is_the_same_mail(mailbox: Mailbox) -> None:
    for _ in range(2):
        send(an_envelope(), a_server(mailbox.port), Steps())
    first, second = mailbox.mails()
    assert [first.path.name, second.path.name] == ["0001.eml", "0002.eml"]
    assert first.path.read_bytes() == second.path.read_bytes()
    send(an_envelope(key="message:2"), a_server(mailbox.port), Steps())
    assert mailbox.mails()[2].message_id != first.message_id


def test_a_message_id_hides_its_key() -> None:
    assert CODE not in message_id_of(f"client:{CODE}", SENDER)
    assert message_id_of("k", "tür@praxis-fluß.example").endswith("@praxis-fluss.example>")


def test_what_is_not_ascii_survives(mailbox: Mailbox) -> None:
    said = "Żółć, 長い, Straße – “quiet”\n.\n..and a line of dots"
    send(
        an_envelope(to="kim@praxis-müller.example", practice="Praxis Müller 心"),
        a_server(mailbox.port, sender_name="Müller 心"),
        Steps(),
    )
    send(
        Envelope(a_message(an_item(said)), "kïm@northside.example", message_id_of("2", SENDER), AT),
        a_server(mailbox.port),
        Steps(),
    )
    first, second = mailbox.mails()
    assert first.subject == "Praxis Müller 心: 1 item"
    assert first.parsed["From"].addresses[0].display_name == "Müller 心"
    assert first.to == "kim@xn--praxis-mller-klb.example"
    assert "Żółć, 長い, Straße – “quiet” . ..and a line of dots" in " ".join(second.text.split())
    assert "kïm@northside.example".encode() in second.path.read_bytes()


@pytest.mark.parametrize("name", ["North\r\nBcc: x@example.org", 'North" <x@example.org>,', "=?utf-8?q?x?=", ""])
def test_a_name_cannot_make_headers(name: str) -> None:
    parsed = build(an_envelope(), a_server(25, sender_name=name))
    written = parsed.as_bytes(policy=SMTP_POLICY)
    assert parsed["Bcc"] is None
    assert b"\r\nBcc" not in written
    assert [address.addr_spec for address in parsed["From"].addresses] == [SENDER]


@pytest.mark.parametrize(
    "to",
    [
        "",
        "kim",
        "kim@",
        "@x.example",
        "a@b@c",
        "kim@x.example\r\nRCPT TO:<y@x.example>",
        "a b@x.example",
        "<kim@x.example>",
        f"kim@{'x' * 64}.example",
    ],
)
def test_what_is_no_address_is_refused_for_good(to: str) -> None:
    steps = Steps()
    with pytest.raises(DeliveryError) as refused:
        send(an_envelope(to=to), a_server(free_port()), steps)
    assert not refused.value.temporary
    assert not steps
    assert to == "" or to not in str(refused.value)


@pytest.mark.parametrize(
    ("word", "answer", "temporary", "announced"),
    [
        ("banner", "421 too busy", True, False),
        ("banner", "554 go away", True, False),
        ("banner", HANG_UP, True, False),
        ("MAIL", "451 later", True, False),
        ("MAIL", SAID, True, False),
        ("RCPT", "450 grey", True, False),
        ("RCPT", "421 closing", True, False),
        ("RCPT", SAID, False, False),
        ("RCPT", "530 log in first", True, False),
        ("RCPT", "550 5.7.1 relaying denied", True, False),
        ("content", "550 5.7.60 not as this sender", True, True),
        ("RCPT", HANG_UP, True, False),
        ("DATA", "451 later", True, True),
        ("DATA", SAID, False, True),
        ("DATA", HANG_UP, True, True),
        ("content", "452 full", True, True),
        ("content", SAID, False, True),
        ("content", "421 shutting down", True, True),
    ],
)
def test_refused_and_put_off_are_told_apart(word: str, answer: str, temporary: bool, announced: bool) -> None:
    steps = Steps()
    with scripted(**{word: answer}) as server, pytest.raises(DeliveryError) as refused:
        send(an_envelope(), a_server(server.port), steps)
    assert not isinstance(refused.value, HandoverUnknownError)
    assert refused.value.temporary is temporary
    assert bool(steps) is announced
    assert THERAPIST not in str(refused.value)
    assert (refused.value.__cause__, refused.value.__context__) == (None, None)


def test_no_answer_to_the_content_is_nobody_knows() -> None:
    steps = Steps()
    with scripted(content=HANG_UP) as server, pytest.raises(HandoverUnknownError) as unknown:
        send(an_envelope(), a_server(server.port), steps)
    assert not unknown.value.temporary
    assert steps == ["before_handover"]
    assert len(server.mails) == 1


def test_a_broken_goodbye_changes_nothing() -> None:
    with scripted(QUIT=HANG_UP) as server:
        assert send(an_envelope(), a_server(server.port), Steps()) == 250


def test_the_hand_over_is_announced_after_all_else_was_accepted() -> None:
    with scripted() as server:

        def before() -> None:
            server.heard.append("(announced)")

        send(an_envelope(), a_server(server.port, user="desk", password="pw"), before)
    assert server.heard == ["EHLO", "AUTH", "MAIL", "RCPT", "(announced)", "DATA", "QUIT"]


def test_what_the_announcement_raises_stops_the_mail() -> None:
    class NoLongerTrueError(Exception):
        pass

    def before() -> None:
        raise NoLongerTrueError

    with scripted() as server, pytest.raises(NoLongerTrueError):
        send(an_envelope(), a_server(server.port), before)
    assert "DATA" not in server.heard
    assert server.heard[-1] == "QUIT"
    assert not server.mails


def test_nobody_listening_is_temporary() -> None:
    with pytest.raises(DeliveryError, match="cannot be reached") as refused:
        send(an_envelope(), a_server(free_port()), Steps())
    assert refused.value.temporary


def test_a_silent_server_is_given_up_on() -> None:
    with scripted(MAIL="250-and then") as server, pytest.raises(DeliveryError) as refused:
        send(an_envelope(), a_server(server.port, timeout=0.2), Steps())
    assert refused.value.temporary


@pytest.mark.parametrize(("answer", "temporary"), [("454 later", True), ("535 wrong", True)])
def test_a_refused_login_keeps_the_password(answer: str, temporary: bool) -> None:
    for password in (SECRET, "plain-s3cret"):
        server_settings: dict[str, Any] = {"user": "desk", "password": password}
        with scripted(AUTH=answer) as server, pytest.raises(DeliveryError) as refused:
            probe(a_server(server.port, **server_settings))
        assert refused.value.temporary is temporary
        assert password not in str(refused.value)
        assert password not in repr(a_server(1, **server_settings))


def test_an_address_the_server_cannot_carry_is_refused_for_good() -> None:
    with scripted() as server, pytest.raises(DeliveryError, match="outside ASCII") as refused:
        send(an_envelope(to="kïm@northside.example"), a_server(server.port), Steps())
    assert not refused.value.temporary


def test_settings_that_would_give_the_password_away_are_refused() -> None:
    with pytest.raises(SettingsError, match="unprotected"):
        a_server(25, host="mail.example", user="desk", password="pw")
    with pytest.raises(SettingsError, match="sender"):
        a_server(25, sender="desk")


def test_a_look_at_the_server_sends_nothing() -> None:
    with scripted() as server:
        assert (
            probe(a_server(server.port, user="u", password="p"))
            == "The mail server answers without TLS and accepts the login."
        )
    assert server.heard == ["EHLO", "AUTH", "NOOP", "QUIT"]


# ---------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def knows(_: object, __: object, ___: object, mechanism: str, login: object) -> AuthResult:
    right = isinstance(login, LoginPassword) and (login.login, login.password) == (b"desk", SECRET.encode())
    return AuthResult(success=right)


@pytest.fixture(params=[Tls.starttls, Tls.tls])
def protected(request: pytest.FixtureRequest, certificate: Path, tmp_path: Path) -> Iterator[SmtpServer]:
    """A mail server that wants TLS and a login, and the settings that fit it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    asked: dict[str, Any] = {"tls_context": context, "require_starttls": True} if request.param is Tls.starttls else {}
    controller = Controller(
        Keeper(tmp_path / "mail"),
        hostname="localhost",
        port=free_port(),
        server_hostname="localhost",
        ssl_context=context if request.param is Tls.tls else None,
        authenticator=knows,
        auth_required=True,
        auth_require_tls=request.param is Tls.starttls,
        **asked,
    )
    controller.start()
    yield a_server(
        controller.port, host="localhost", tls=request.param, user="desk", password=SECRET, ca_file=str(certificate)
    )
    controller.stop()


@pytest.mark.filterwarnings(
    "ignore:Requiring AUTH while not requiring TLS"
)  # aiosmtpd overlooks TLS from the first byte
def test_mail_goes_through_tls_and_a_login(protected: SmtpServer, tmp_path: Path) -> None:
    assert "accepts the login" in probe(protected)
    assert send(an_envelope(), protected, Steps()) == 250
    assert len(read_mails(tmp_path / "mail")) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_certificate_nobody_vouches_for_is_refused(protected: SmtpServer) -> None:
    stranger = a_server(protected.port, host="localhost", tls=protected.tls, user="desk", password=SECRET)
    with pytest.raises(DeliveryError, match="certificate") as refused:
        send(an_envelope(), stranger, Steps())
    assert refused.value.temporary


def test_a_server_without_tls_gets_nothing() -> None:
    with scripted() as server, pytest.raises(DeliveryError, match="protection") as refused:
        send(an_envelope(), a_server(server.port, tls=Tls.starttls, user="desk", password=SECRET), Steps())
    assert refused.value.temporary
    assert server.heard == ["EHLO", "STARTTLS"] or "AUTH" not in server.heard
    with scripted() as server, pytest.raises(DeliveryError, match="TLS"):
        send(an_envelope(), a_server(server.port, tls=Tls.tls), Steps())
