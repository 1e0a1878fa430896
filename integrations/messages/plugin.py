"""Our SMTP sender as an Apprise service, under its own schemes: `tendingsmtp://` and, with TLS from the first byte, `tendingsmtps://`.

tendingsmtp://USER:PASSWORD@HOST:PORT/?from=ADDRESS&name=NAME&tls=starttls|none&timeout=SECONDS&ca=FILE
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote, unquote, urlencode

from apprise import NotifyType
from apprise.common import PersistentStoreMode
from apprise.manager_plugins import NotificationManager
from apprise.plugins.base import NotifyBase

from integrations.messages.mail import Envelope, SmtpServer, Tls, send
from models.errors import SettingsError

# Apprise's schemes are letters and figures only.
SCHEME = "tendingsmtp"
SCHEME_TLS = "tendingsmtps"
_PORTS = {Tls.none: 25, Tls.starttls: 587, Tls.tls: 465}

# Apprise types its class attributes by their empty defaults; as Any they can be given values.
_Service: Any = NotifyBase


@dataclass(slots=True)
class Handover:
    """One mail on its way through Apprise, which itself only passes on yes or no: what goes in, and what came of it."""

    envelope: Envelope
    before_handover: Callable[[], None]
    code: int = 0
    error: Exception | None = None


class PracticeMail(_Service):  # type: ignore[misc]  # see _Service
    """The practice's mail server: sends the mail that `carry` gave it; of Apprise's own call it takes only the cue."""

    service_name = "Mail server of the practice"
    service_url = None
    protocol = SCHEME
    secure_protocol = SCHEME_TLS
    setup_url = None
    request_rate_per_sec = 0
    storage_mode = PersistentStoreMode.MEMORY
    templates = ("{schema}://{host}", "{schema}://{host}:{port}", "{schema}://{user}:{password}@{host}:{port}")
    template_tokens: ClassVar[dict[str, Any]] = dict(
        NotifyBase.template_tokens,
        host={"name": "Host", "type": "string", "required": True},
        port={"name": "Port", "type": "int", "min": 1, "max": 65535},
        user={"name": "User", "type": "string"},
        password={"name": "Password", "type": "string", "private": True},
    )
    template_args: ClassVar[dict[str, Any]] = dict(
        NotifyBase.template_args,
        **{
            "from": {"name": "Sender's address", "type": "string", "required": True, "map_to": "sender"},
            "name": {"name": "Sender's name", "type": "string", "map_to": "sender_name"},
            "tls": {"name": "Protection", "type": "choice:string", "values": tuple(Tls), "default": Tls.starttls},
            "timeout": {"name": "Seconds to wait", "type": "float", "default": 20.0},
            "ca": {"name": "CA file", "type": "string"},
        },
    )

    def __init__(
        self, sender: str = "", sender_name: str = "", tls: str = "", timeout: str = "", ca: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        mode = _mode(tls, secure=bool(self.secure))
        self.server = SmtpServer(
            host=str(self.host).strip("[]"),
            port=int(self.port or _PORTS[mode]),
            tls=mode,
            sender=sender,
            sender_name=sender_name,
            user=str(self.user or ""),
            password=str(self.password or ""),
            timeout=_seconds(timeout),
            ca_file=ca,
        )
        self._carried: Handover | None = None

    def carry(self, handover: Handover) -> None:
        """Takes the mail that the next call sends."""
        self._carried = handover

    def send(self, body: str, title: str = "", notify_type: NotifyType = NotifyType.INFO, **kwargs: Any) -> bool:
        """Sends what was carried, once; Apprise's own repetition finds nothing to send."""
        handover, self._carried = self._carried, None
        if handover is None:
            return False
        try:
            handover.code = send(handover.envelope, self.server, handover.before_handover)
        except Exception as error:  # Apprise would turn it into a plain False; the channel raises it again
            handover.error = error
        return handover.error is None

    def url(self, privacy: bool = False, *args: Any, **kwargs: Any) -> str:
        """The URL that makes this service again; with privacy, its secrets are left out."""
        password = ("****" if privacy else quote(self.server.password, safe="")) if self.server.password else ""
        return _url(self.server, password)

    @staticmethod
    def parse_url(url: str, *arguments: Any, **options: Any) -> dict[str, Any] | None:
        """The arguments that Apprise builds this service with, from a URL."""
        results: dict[str, Any] | None = NotifyBase.parse_url(url, *arguments, **options)
        if not results:
            return None
        asked = results.get("qsd", {})
        for argument, name in {
            "from": "sender",
            "name": "sender_name",
            "tls": "tls",
            "timeout": "timeout",
            "ca": "ca",
        }.items():
            results[name] = unquote(asked.get(argument) or "")
        return results


def smtp_url(server: SmtpServer) -> str:
    """The channel URL for a mail server. It holds the password: it belongs in memory, never in a log or a parameter."""
    return _url(server, quote(server.password, safe=""))


def register() -> None:
    """Makes Apprise know our schemes; a second call changes nothing. Needs Apprise 1.13 to 2.0."""
    manager = NotificationManager()  # type: ignore[no-untyped-call]  # Apprise's own, one per process
    if SCHEME not in manager:
        manager.add(PracticeMail)  # type: ignore[no-untyped-call]


def _url(server: SmtpServer, password: str) -> str:
    login = f"{quote(server.user, safe='')}{':' + password if password else ''}@" if server.user else ""
    asked = {"from": server.sender, "name": server.sender_name, "timeout": f"{server.timeout:g}", "ca": server.ca_file}
    if server.tls is not Tls.tls:
        asked["tls"] = server.tls.value
    host = f"[{server.host}]" if ":" in server.host else server.host
    scheme = SCHEME_TLS if server.tls is Tls.tls else SCHEME
    query = urlencode({name: value for name, value in asked.items() if value}, quote_via=quote)
    return f"{scheme}://{login}{host}:{server.port}/?{query}"


def _mode(asked: str, *, secure: bool) -> Tls:
    if secure:
        return Tls.tls
    try:
        return Tls(asked.lower() or Tls.starttls)
    except ValueError:
        raise SettingsError("The mail channel's tls is none of starttls, tls and none; write one of them.") from None


def _seconds(asked: str) -> float:
    try:
        seconds = float(asked or 20)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 600:
        raise SettingsError("The mail channel's timeout is no number of seconds between 0 and 600; correct it.")
    return seconds
