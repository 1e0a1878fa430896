"""Our own SMTP sender: builds one mail and gives it to a server, telling apart refused, not now, and nobody knows."""

import base64
import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from enum import StrEnum
from hashlib import sha256

from integrations.messages.addresses import as_address, domain, is_address, needs_utf8, wire
from integrations.messages.compose import Message, neutral
from models.errors import DeliveryError, SettingsError
from models.instants import Instant

NEEDS_LOGIN = 530
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+>")
_OUR_LOGIN = re.compile(
    rb"5\.7\.\d"
)  # RFC 3463: security and policy, as of relaying without a login or under another sender
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Tls(StrEnum):
    """How the connection is protected."""

    none = "none"
    starttls = "starttls"  # begins plain, must turn to TLS before anything private
    tls = "tls"  # TLS from the first byte


class HandoverUnknownError(DeliveryError):
    """The connection ended after the content was given and before the server answered: the mail may have been taken.

    Never temporary: sending again could send it twice, so a person is asked.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, temporary=False)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is given and from whom it is. `timeout` is in seconds, per network operation."""

    host: str
    port: int
    tls: Tls
    sender: str
    sender_name: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 20.0
    ca_file: str = ""

    def __post_init__(self) -> None:
        """Raises SettingsError for a sender that is no address and for a password that would travel unprotected."""
        if not is_address(self.sender):
            raise SettingsError(
                "The sender of mail is not an e-mail address; set it to one that the practice's mail server accepts."
            )
        if self.password and self.tls is Tls.none and self.host not in _LOOPBACK:
            raise SettingsError("The mail server would get its password unprotected; use starttls or tls.")


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail on its way: a message, to whom, under which lasting id, and as of when."""

    message: Message
    to: str
    message_id: str
    at: Instant


def message_id_of(key: str, sender: str) -> str:
    """The Message-ID that belongs to a key for good; the key, which may hold a code, is not readable in it."""
    return f"<{sha256(key.encode()).hexdigest()[:32]}@{domain(sender)}>"


def build(envelope: Envelope, server: SmtpServer) -> EmailMessage:
    """The mail, the same bytes whenever it is built. Its headers hold addresses, the neutral subject and marks.

    Raises DeliveryError (not temporary) for an address that is none.
    """
    if not is_address(envelope.to):
        raise DeliveryError(
            "The recipient's e-mail address is not an address; correct it where the recipient is recorded.",
            temporary=False,
        )
    if not _MESSAGE_ID.fullmatch(envelope.message_id):
        raise ValueError("a message id looks like <id@domain>")
    message = envelope.message
    mail = EmailMessage(policy=SMTPUTF8 if needs_utf8(envelope.to, server.sender) else SMTP)
    mail["From"] = as_address(server.sender, neutral(server.sender_name))
    mail["To"] = as_address(envelope.to)
    mail["Subject"] = neutral(message.subject)
    mail["Date"] = format_datetime(datetime.fromtimestamp(envelope.at, UTC))
    mail["Message-ID"] = envelope.message_id
    if not message.calendar:
        # An invitation is a person's act, and programs that act on invitations pass over what is marked as sent by itself.
        mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    if message.calendar:
        _invite(mail, message)
    mail["Content-Language"] = message.locale.replace("_", "-")
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        name = f"{envelope.message_id}{number or ''}"
        part.set_boundary(f"part-{sha256(name.encode()).hexdigest()[:24]}")
    return mail


def _invite(mail: EmailMessage, message: Message) -> None:
    """Adds an invitation in the shape on which calendar programs act (RFC 6047): an alternative to the words, and a file beside them."""
    content = message.calendar.encode()
    mail.add_alternative(
        content,
        maintype="text",
        subtype="calendar",
        cte="base64",
        params={"method": message.method, "charset": "utf-8"},
    )
    mail.add_attachment(content, maintype="application", subtype="ics", cte="base64", filename="invite.ics")


def send(envelope: Envelope, server: SmtpServer, before_handover: Callable[[], None]) -> int:
    """Gives one mail to the server; returns the code with which it was taken.

    `before_handover` is called once, after the server has accepted sender and recipient and before it gets the content;
    what it raises ends the attempt with nothing given. Raises DeliveryError: for good where the server refuses this
    recipient or this mail, else temporary, since connection, protection, login and sender are mended by somebody and then
    every mail goes; HandoverUnknownError when no answer came to the content.
    """
    mail = build(envelope, server)
    utf8 = needs_utf8(envelope.to, server.sender)

    def give(smtp: smtplib.SMTP) -> int:
        if utf8 and not smtp.has_extn("smtputf8"):
            raise DeliveryError(
                "The mail server does not take addresses outside ASCII; use another address or server.", temporary=False
            )
        _expect(smtp.mail(wire(server.sender), ["SMTPUTF8"] if utf8 else []), "the sender's address", 250)
        _expect(smtp.rcpt(wire(envelope.to)), "the recipient's address", 250, 251, 252, final=True)
        try:
            before_handover()
        except Exception as error:
            raise _CallersError(error) from None
        _expect(smtp.docmd("DATA"), "the message", 354, final=True)
        return _give(smtp, mail.as_bytes())

    return _in_session(server, give)


def probe(server: SmtpServer) -> str:
    """Connects, greets, logs in where a user is set, and leaves. Returns a sentence; raises DeliveryError."""
    _in_session(server, lambda smtp: _expect(smtp.noop(), "a greeting", 250))
    how = {Tls.none: "without TLS", Tls.starttls: "with STARTTLS", Tls.tls: "with TLS"}[server.tls]
    return f"The mail server answers {how}{' and accepts the login' if server.user else ''}."


class _CallersError(Exception):
    """Carries what the caller's own function raised past the translation of the server's errors."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


def _in_session(server: SmtpServer, work: Callable[[smtplib.SMTP], int]) -> int:
    """Does the work on a greeted, protected, logged-in connection. What server and network do is a DeliveryError."""
    smtp: smtplib.SMTP | None = None
    failure: Exception
    try:
        smtp = _connect(server)
        code = work(smtp)
        _leave(smtp)
        return code
    except _CallersError as error:
        failure = error.cause
        _leave(smtp)
    except HandoverUnknownError as error:
        failure = error
    except DeliveryError as error:
        failure = error
        _leave(smtp)
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        failure = _translated(error)
    finally:
        if smtp is not None:
            smtp.close()
    # Raised outside of the handlers, so that the server's words do not hang on it as context.
    raise failure


def _leave(smtp: smtplib.SMTP | None) -> None:
    """Says goodbye. By now the outcome is known; a connection that breaks here changes nothing."""
    if smtp is not None:
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()


def _connect(server: SmtpServer) -> smtplib.SMTP:
    # The name in the greeting: the sender's domain rather than this machine's name.
    name = domain(server.sender)
    context = ssl.create_default_context(cafile=server.ca_file or None) if server.tls is not Tls.none else None
    smtp: smtplib.SMTP
    if server.tls is Tls.tls:
        smtp = smtplib.SMTP_SSL(server.host, server.port, local_hostname=name, timeout=server.timeout, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=server.timeout)
    try:
        smtp.ehlo_or_helo_if_needed()
        if server.tls is Tls.starttls:
            smtp.starttls(context=context)
            smtp.ehlo()
        if server.user:
            _log_in(smtp, server)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _log_in(smtp: smtplib.SMTP, server: SmtpServer) -> None:
    if f"{server.user}{server.password}".isascii():
        smtp.login(server.user, server.password)
        return
    # RFC 4616 has UTF-8 here; smtplib's own login only knows ASCII.
    secret = base64.b64encode(f"\0{server.user}\0{server.password}".encode()).decode()
    _expect(smtp.docmd("AUTH", f"PLAIN {secret}"), "the login", 235)


def _give(smtp: smtplib.SMTP, content: bytes) -> int:
    """The content and its end, after which only the server's answer tells whether the mail was taken."""
    stuffed = re.sub(rb"(?m)^\.", b"..", content)
    try:
        smtp.send(stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        answer = smtp.getreply()
    except (OSError, smtplib.SMTPException):
        answer = (-1, b"")
    if answer[0] < 200:
        raise HandoverUnknownError(
            "The mail server got the message and did not answer; it may have been delivered. "
            "Ask the recipient before sending it again."
        )
    return _expect(answer, "the message", 250, final=True)


def _expect(answer: tuple[int, bytes], what: str, *accepted: int, final: bool = False) -> int:
    """The code, if it is one that accepts. The server's own words stay out: they may repeat an address."""
    code, words = answer
    if code in accepted:
        return code
    raise _refusal(code, what, final=final and code != NEEDS_LOGIN and not _OUR_LOGIN.match(words))


def _refusal(code: int, what: str, *, final: bool = False) -> DeliveryError:
    """An answer that is no yes. `final`: a refusal of this concerns this one mail, not the way to the server."""
    if 400 <= code < 500:
        return DeliveryError(
            f"The mail server does not take {what} now (code {code}); it is tried again later.", temporary=True
        )
    if code < 400:
        return DeliveryError("The mail server ended the connection; it is tried again later.", temporary=True)
    return DeliveryError(
        f"The mail server refused {what} (code {code}); run `tending check` and look at the mail settings.",
        temporary=not final,
    )


def _translated(error: Exception) -> DeliveryError:
    """What went wrong on the way, in a sentence that holds neither addresses nor secrets nor the server's words. All of it is
    temporary: it says nothing about one mail, and when it is mended all of them go."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return _refusal(error.smtp_code, "the login")
    if isinstance(error, smtplib.SMTPResponseException):
        return _refusal(error.smtp_code, "the connection")
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return _refusal(-1, "the connection")
    return DeliveryError(_said(error), temporary=True)


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "The mail server offers neither the protection nor the login that is set; change tls or user."
    if isinstance(error, ssl.SSLCertVerificationError):
        return "The mail server's certificate is not trusted; correct the host's name or name its CA file."
    if isinstance(error, ssl.SSLError):
        return "The mail server does not speak TLS this way on this port; change tls or the port."
    if isinstance(error, FileNotFoundError):
        return "The CA file for the mail server is missing; correct its path."
    if isinstance(error, UnicodeError):
        return "The mail server's name or user holds a character that mail cannot carry; correct it."
    if isinstance(error, OSError):
        return "The mail server cannot be reached; check host, port and network. It is tried again later."
    return "The mail server and we did not understand each other; run `tending check`."
