"""Fetching: a real web server on loopback, real files; whatever is not surely the whole answer is refused."""

import gzip
import logging
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from integrations.calendars import fetch as fetching
from integrations.calendars.fetch import Fetched, fetch, is_url
from models.errors import SourceError
from tests.integrations.calendars.ics import calendar

WHOLE = calendar("UID:a\nDTSTART:20260302T100000Z")


class Server(BaseHTTPRequestHandler):
    """Answers by path, and remembers what it was asked."""

    asked: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        name, _, rest = self.path.partition("?")[0].lstrip("/").partition("/")
        self.asked.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
        if name == "status":
            return self.give(int(rest), b"no")
        if name == "away":
            return self.give(302, b"", Location="/calendar" if rest.startswith("1") else f"/away/{int(rest) - 1}")
        if name == "round":
            return self.give(302, b"", Location="/round")
        if name == "login":
            return self.give(200, b"<html>Sign in</html>", **{"Content-Type": "text/html; charset=utf-8"})
        if name == "cut":
            self.send_response(200)
            self.send_header("Content-Length", str(len(WHOLE) + 100))
            self.end_headers()
            self.wfile.write(WHOLE)
            return None
        if name == "packed":
            return self.give(200, gzip.compress(b"x" * 100_000), **{"Content-Encoding": "gzip"})
        if self.headers.get("If-None-Match") == '"v1"':
            return self.give(304, b"", ETag='"v1"')
        return self.give(200, WHOLE, ETag='"v1"', **{"Last-Modified": "Mon, 02 Mar 2026 10:00:00 GMT"})

    def give(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for key, value in {"Content-Type": "text/calendar", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture
def asked() -> list[tuple[str, dict[str, str]]]:
    return []


@pytest.fixture
def server(asked: list[tuple[str, dict[str, str]]]) -> Iterator[str]:
    handler = type("Handler", (Server,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


# ---------------------------------------------------------------- addresses


def test_a_calendar_and_what_to_show_next_time(server: str) -> None:
    first = fetch(f"{server}/calendar")
    assert first == Fetched((("127.0.0.1", WHOLE),), False, '"v1"', "Mon, 02 Mar 2026 10:00:00 GMT")
    again = fetch(f"{server}/calendar", etag=first.etag, last_modified=first.last_modified)
    assert (again.unchanged, again.files, again.etag) == (True, (), '"v1"')


def test_the_request(server: str, asked: list[tuple[str, dict[str, str]]]) -> None:
    fetch(f"{server}/calendar", last_modified="Mon, 02 Mar 2026 10:00:00 GMT")
    headers = asked[0][1]
    assert headers["if-modified-since"] == "Mon, 02 Mar 2026 10:00:00 GMT"
    assert "if-none-match" not in headers
    assert headers["accept"].startswith("text/calendar")


def test_a_few_redirects_are_followed(server: str) -> None:
    assert fetch(f"{server}/away/4").files == (("127.0.0.1", WHOLE),)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("status/401", "refused"),
        ("status/403", "refused"),
        ("status/404", "not there any more"),
        ("status/410", "not there any more"),
        ("status/429", "could not answer now"),
        ("status/500", "could not answer now"),
        ("status/503", "could not answer now"),
        ("status/204", "unexpected"),
        ("status/400", "unexpected"),
        ("login", "login page"),
        ("round", "without end"),
        ("cut", "cannot be reached"),
    ],
)
def test_what_is_refused(server: str, path: str, says: str) -> None:
    address = server.replace("://", "://anna:hunter2@") + f"/{path}?token=SECRET"
    with pytest.raises(SourceError, match="Nothing was taken") as caught:
        fetch(address)
    assert says in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
    assert not any(word in str(caught.value) for word in ("SECRET", "hunter2", "anna", "token", "status/", "/login"))
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_secret_address_is_in_no_log(server: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    fetch(f"{server}/calendar?token=SECRET")
    assert "SECRET" not in caplog.text


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://127.0.0.1:1/private", "127.0.0.1"),
        ("https://calendar.invalid/private", "calendar.invalid"),
        ("http://[bad/private", "bad"),
        ("http:///private", "its server"),
    ],
)
def test_what_cannot_be_reached(address: str, host: str) -> None:
    with pytest.raises(SourceError, match="Nothing was taken") as caught:
        fetch(address)
    assert host in str(caught.value)
    assert "private" not in str(caught.value)


def test_too_much_is_refused_however_small_it_came(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 50_000)
    with pytest.raises(SourceError, match="larger than"):
        fetch(f"{server}/packed")


def test_too_slow_is_refused(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_SECONDS", -1.0)
    with pytest.raises(SourceError, match="did not come in time"):
        fetch(f"{server}/calendar")


def edge(request: httpx.Request) -> httpx.Response:
    """A server with a certificate, which no test here has: the one fake, at the very edge."""
    if request.url.path == "/timeout":
        raise httpx.ReadTimeout("slow", request=request)
    if request.url.path == "/down":
        return httpx.Response(302, headers={"Location": "http://calendar.example.org/plain"})
    return httpx.Response(200, content=WHOLE if request.url.scheme == "https" else b"", headers={"ETag": "x"})


def test_webcal_is_asked_encrypted() -> None:
    found = fetch("webcal://calendar.example.org/anna.ics", transport=httpx.MockTransport(edge))
    assert found.files == (("calendar.example.org", WHOLE),)


@pytest.mark.parametrize(("path", "says"), [("down", "not encrypted"), ("timeout", "did not answer in time")])
def test_no_answer_and_none_in_the_open(path: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        fetch(f"https://calendar.example.org/{path}", transport=httpx.MockTransport(edge))


# ---------------------------------------------------------------- files and folders


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "anna.ics").write_bytes(WHOLE)
    assert fetch(str(tmp_path / "anna.ics")) == Fetched(files=(("anna.ics", WHOLE),))


def test_a_folder(tmp_path: Path) -> None:
    for name in ("b.ics", "a.ICS", "notes.txt", ".hidden.ics"):
        (tmp_path / name).write_bytes(WHOLE)
    for name, written in (("a.ICS", 5), ("b.ics", 5), ("notes.txt", 1)):
        os.utime(tmp_path / name, (written, written))
    assert [name for name, _ in fetch(str(tmp_path)).files] == ["a.ICS", "b.ics"]
    os.utime(tmp_path / "b.ics", (4, 4))
    assert [name for name, _ in fetch(str(tmp_path)).files] == ["b.ics", "a.ICS"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"anna\.ics is not there\. Correct its path.*Nothing was taken"):
        fetch(str(tmp_path / "anna.ics"))


def test_a_folder_without_calendars_is_not_an_empty_calendar(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"holds no \.ics file"):
        fetch(str(tmp_path))


@pytest.mark.skipif(os.name != "posix", reason="named pipes and loops of links are made the POSIX way")
def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "loop.ics").symlink_to(tmp_path / "loop.ics")
    with pytest.raises(SourceError, match=r"loop\.ics cannot be read"):
        fetch(str(tmp_path / "loop.ics"))


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 10)
    (tmp_path / "anna.ics").write_bytes(WHOLE)
    with pytest.raises(SourceError, match="larger than"):
        fetch(str(tmp_path / "anna.ics"))


def test_is_url() -> None:
    assert all(map(is_url, ("http://a", "HTTPS://a", "webcal://a", "webcals://a")))
    assert not any(map(is_url, ("calendars/anna.ics", "C:\\anna.ics", "file.ics")))
