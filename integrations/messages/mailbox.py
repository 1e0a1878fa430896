"""A real mail server for this machine only, which keeps each mail as a file: for the demo, for tests, to try settings.

`python -m integrations.messages.mailbox FOLDER [PORT]` runs one until it is stopped.
"""

import asyncio
import logging
import signal
import sys
import threading
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default
from pathlib import Path

from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as Received

from integrations.messages.mail import SmtpServer, Tls
from integrations.messages.plugin import smtp_url

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it arrived, decoded."""

    path: Path
    to: str
    sender: str
    subject: str
    message_id: str
    text: str
    html: str
    parsed: EmailMessage


class Keeper:
    """Writes what arrives as `0001.eml`, `0002.eml`, ...; a file appears whole, and before the sender is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Received) -> str:
        self.keep(envelope)
        return "250 kept"

    def keep(self, envelope: Received) -> Path:
        """Writes one mail under the next number, with the addresses of its envelope on top. Returns its path."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        delivered = "".join(f"Delivered-To: {address}\r\n" for address in envelope.rcpt_tos)
        taken = [int(path.stem) for path in self.folder.glob("*.eml") if path.stem.isdigit()]
        path = self.folder / f"{max(taken, default=0) + 1:04d}.eml"
        partial = path.with_suffix(".part")
        partial.write_bytes(delivered.encode() + content)
        partial.rename(path)
        return path


class Mailbox:
    """The server in a thread of its own, on loopback. `port` 0 takes a free one; after `start`, `port` says which."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.folder = folder
        self.port = port
        self._keeper = Keeper(folder)
        # aiosmtpd logs every address and line it gets; what arrives belongs in the folder alone.
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mailbox", daemon=True)
        self._server: asyncio.Server | None = None

    def start(self) -> "Mailbox":
        """Listens. Raises OSError when the port is taken."""
        self._thread.start()
        try:
            self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        except BaseException:
            self.stop()
            raise
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def stop(self) -> None:
        """Stops listening and ends the thread; what has arrived stays."""
        if not self._thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(self._protocol, HOST, self.port)

    def _protocol(self) -> SMTP:
        # A name given is a name that is not looked up: on some machines that takes seconds.
        return SMTP(self._keeper, hostname="mailbox.localhost", enable_SMTPUTF8=True, loop=self._loop)

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
        open_connections = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in open_connections:
            task.cancel()
        await asyncio.gather(*open_connections, return_exceptions=True)

    def __enter__(self) -> "Mailbox":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, sender: str, sender_name: str = "") -> str:
        """The channel URL that sends into this mailbox."""
        return smtp_url(SmtpServer(HOST, self.port, Tls.none, sender, sender_name, timeout=10))

    def mails(self) -> list[Mail]:
        """What has arrived, in order."""
        return read_mails(self.folder)


def read_mails(folder: Path) -> list[Mail]:
    """The mails kept in a folder, decoded, in the order of their arrival."""
    return [_read(path) for path in sorted(folder.glob("*.eml"))]


def _read(path: Path) -> Mail:
    parsed = message_from_bytes(path.read_bytes(), policy=default)
    text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    return Mail(
        path=path,
        to=str(parsed["Delivered-To"] or parsed["To"] or ""),
        sender=str(parsed["From"] or ""),
        subject=str(parsed["Subject"] or ""),
        message_id=str(parsed["Message-ID"] or ""),
        text=_content(text),
        html=_content(html),
        parsed=parsed,
    )


def _content(part: MIMEPart | None) -> str:
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def main(arguments: list[str]) -> int:
    """Runs a mailbox until it is told to stop; says where it listens. Exit code 2 for wrong words."""
    if len(arguments) not in (1, 2) or (len(arguments) == 2 and not arguments[1].isdigit()):
        print("Usage: python -m integrations.messages.mailbox FOLDER [PORT]", file=sys.stderr)
        return 2
    with Mailbox(Path(arguments[0]), port=int(arguments[1]) if len(arguments) == 2 else 0) as mailbox:
        print(f"Mail for {HOST}:{mailbox.port} is kept in {mailbox.folder}", flush=True)
        stopped = threading.Event()
        for wanted in (signal.SIGINT, signal.SIGTERM):
            signal.signal(wanted, lambda *_: stopped.set())
        stopped.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
