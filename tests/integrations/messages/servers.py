"""Mail and web servers that behave badly on request, for the tests of messages."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

HANG_UP = ""


@dataclass
class Script:
    """What a mail server answers, by command word; `content` is the answer to the mail itself. HANG_UP hangs up."""

    answers: dict[str, str] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    port: int = 0

    def answer(self, word: str) -> str:
        usual = {"banner": "220 here", "DATA": "354 go on", "QUIT": "221 bye", "AUTH": "235 in"}
        usual["EHLO"] = "250-here\r\n250 AUTH PLAIN"
        return self.answers.get(word, usual.get(word, "250 fine"))


@contextmanager
def scripted(**answers: str) -> Iterator[Script]:
    """A mail server on loopback that answers by a script."""
    script = Script(answers)

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if not self.say("banner"):
                return
            while line := self.rfile.readline():
                word = line.split()[0].decode("latin-1").upper()
                script.heard.append(word)
                if not self.say(word) or word == "QUIT":
                    return
                if word == "DATA" and script.answer("DATA").startswith("354"):
                    script.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                    if not self.say("content"):
                        return

        def say(self, word: str) -> bool:
            answer = script.answer(word)
            if answer:
                self.wfile.write(answer.encode() + b"\r\n")
            return bool(answer) and not answer.startswith("421")

    with _running(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)) as script.port:
        yield script


@contextmanager
def web(status: int) -> Iterator[tuple[int, list[bytes]]]:
    """A web server on loopback that answers every POST with that status; yields its port and the bodies it gets."""
    bodies: list[bytes] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with _running(HTTPServer(("127.0.0.1", 0), Answer)) as port:
        yield port, bodies


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _running(server: socketserver.TCPServer) -> Iterator[int]:
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
