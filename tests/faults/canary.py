"""Looking for identities where none may be: every spelling in which a text can lie in a file, a database, a mail or an answer."""

import base64
import html
import json
import quopri
import re
import sqlite3
import unicodedata
import urllib.parse
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from email import message_from_bytes
from email.policy import default
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psycopg
from sqlalchemy.engine import make_url

from models.subjects import normal_form

Sink = dict[str, bytes]  # place -> what lies there

LONG_ENOUGH = 6  # letters; a shorter word could be anybody's
BASE64_LEAST = 8  # bytes; the inside of fewer could turn up in any ciphertext
PAGE = 200
INVITATION = ("text/calendar", "application/ics")
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1252", "cp1253", "cp1254", "cp1250")


def words_of(identities: Iterable[str]) -> set[str]:
    """The identities and each of their words that is long enough to be looked for alone."""
    found = set(identities)
    for text in identities:
        found.update(word for word in re.findall(r"[^\W_]+", text) if len(word) >= LONG_ENOUGH)
    return found


@cache
def spellings(text: str) -> dict[str, bytes]:
    """Every way in which the text may be written, by a name for it. Ways that look alike are given once."""
    found: dict[bytes, str] = {}

    def add(how: str, data: bytes) -> None:
        if len(data) >= LONG_ENOUGH:
            found.setdefault(data, how)

    for form, written in _written(text).items():
        for encoding in _ENCODINGS:
            try:
                data = written.encode(encoding)
            except UnicodeEncodeError:
                continue
            how = f"{form} {encoding}"
            add(how, data)
            if encoding != "utf-16-be" and len(data) >= BASE64_LEAST:
                for shift, inside in enumerate(_base64(data)):
                    add(f"{how} base64+{shift}", inside)
                    add(f"{how} base64url+{shift}", inside.translate(bytes.maketrans(b"+/", b"-_")))
            if encoding in ("utf-8", "cp1252"):
                add(f"{how} url", urllib.parse.quote_from_bytes(data, safe="").encode())
                add(f"{how} url small", urllib.parse.quote_from_bytes(data, safe="").lower().encode())
                add(f"{how} form", urllib.parse.quote_plus(data).encode())
                add(f"{how} quoted-printable", quopri.encodestring(data, quotetabs=False).replace(b"=\n", b""))
                add(f"{how} Q", quopri.encodestring(data, header=True).replace(b"=\n", b""))
                add(f"{how} repr", repr(data)[2:-1].encode())
                add(f"{how} twice", data.decode("latin-1").encode())
                add(f"{how} hex", data.hex().encode())
        escaped = json.dumps(written)[1:-1]
        add(f"{form} json", escaped.encode())
        add(f"{form} JSON", re.sub(r"\\u[0-9a-f]{4}", lambda m: "\\u" + m[0][2:].upper(), escaped).encode())
        add(f"{form} escape", written.encode("unicode_escape"))
        add(f"{form} html", html.escape(written).encode())
        add(f"{form} xml", written.encode("ascii", "xmlcharrefreplace"))
        for width in ("x", "X"):
            add(
                f"{form} html {width}", "".join(c if c.isascii() else f"&#x{ord(c):{width}};" for c in written).encode()
            )
        add(f"{form} named", "".join(_named(c) for c in written).encode())
    return {how: data for data, how in found.items()}


def _written(text: str) -> dict[str, str]:
    forms = {"NFC": unicodedata.normalize("NFC", text), "NFD": unicodedata.normalize("NFD", text)}
    forms |= {"folded": forms["NFC"].casefold(), "upper": forms["NFC"].upper(), "folded NFD": forms["NFD"].casefold()}
    plain = normal_form(text)  # as the product itself compares names
    if " " not in plain and len(plain) >= LONG_ENOUGH:
        forms["plain"] = plain
    return forms


def _base64(data: bytes) -> Iterator[bytes]:
    """The characters that stand for the data at each place it can have in a longer text, without those that its neighbours share."""
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + data)
        first = (0, 2, 3)[shift]
        last = len(coded.rstrip(b"=")) - (0 if (shift + len(data)) % 3 == 0 else 1)
        yield coded[first:last]


def _named(character: str) -> str:
    name = html.entities.codepoint2name.get(ord(character)) if not character.isascii() else None
    return f"&{name};" if name else character


class Search:
    """A search for some identities; `found` names what lies in some bytes, by identity and spelling."""

    def __init__(self, identities: Iterable[str]) -> None:
        self.needles: dict[bytes, list[tuple[bytes, str]]] = defaultdict(list)
        for text in sorted(words_of(identities)):
            for how, data in spellings(text).items():
                self.needles[data[:LONG_ENOUGH]].append((data, f"{text} ({how})"))

    def found(self, data: bytes) -> list[str]:
        """What of the identities stands there, as it is or behind soft line breaks, doubled backslashes and compression."""
        readings = {re.sub(rb"\0{9,}", b"\0" * 8, reading) for reading in (data, *_unfolded(data), *_unpacked(data))}
        return sorted({one for reading in readings for one in self._within(reading)})

    def _within(self, data: bytes) -> Iterator[str]:
        # One step for each place and a look into a table: looking for thousands of spellings one by one takes minutes.
        needles = self.needles
        for place in [i for i in range(len(data) - LONG_ENOUGH + 1) if data[i : i + LONG_ENOUGH] in needles]:
            for needle, what in needles[data[place : place + LONG_ENOUGH]]:
                if data.startswith(needle, place):
                    yield what

    def in_sink(self, sink: Mapping[str, bytes]) -> list[str]:
        """What was found, each with its place."""
        return [f"{place}: {one}" for place, data in sink.items() for one in self.found(data)]


def _unfolded(data: bytes) -> Iterator[bytes]:
    if re.search(rb"=\r?\n", data):
        yield re.sub(rb"=\r?\n", b"", data)
    if re.search(rb"[A-Za-z0-9+/]{50,80}\r?\n[ \t]?[A-Za-z0-9+/=]", data):
        yield re.sub(rb"\r?\n[ \t]?", b"", data)
    if b"\\\\" in data:
        yield re.sub(rb"\\+", rb"\\", data)


def _unpacked(data: bytes) -> Iterator[bytes]:
    """What lies compressed from any of the places where that could begin."""
    for start in re.finditer(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08", data):
        try:
            yield zlib.decompressobj(wbits=47).decompress(data[start.start() :], 1_000_000)
        except zlib.error:
            continue


# ---------------------------------------------------------------- the sinks


def files_in(folder: Path, *, without: str = "") -> Sink:
    """Every file below a folder, raw, and the names of the files; `without` one folder in it that others fill."""
    paths = (p for p in sorted(folder.rglob("*")) if not without or p.relative_to(folder).parts[0] != without)
    sink = {str(path): path.read_bytes() for path in paths if path.is_file()}
    return sink | {f"{folder}: names": "\n".join(sink).encode()}


def cells_of(url: str) -> Sink:
    """Every cell of every table, since in the file a text may lie in two pieces. `sqlite:///path` or `postgresql+psycopg://...`."""
    place = make_url(url)
    if place.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(f"file:{place.database}?mode=ro", uri=True)) as connection:
            names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: _rows(_readable(connection, name)) for name in names}
    plain = place.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        names = [
            f'"{schema}"."{name}"'
            for schema, name in connection.execute(
                "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            )
        ]
        return {name: _rows(connection.execute(f"SELECT * FROM {name}".encode())) for name in names}


def _readable(connection: sqlite3.Connection, name: str) -> Iterable[tuple[Any, ...]]:
    try:
        return connection.execute(f'SELECT * FROM "{name}"').fetchall()
    except sqlite3.OperationalError:
        return []  # a virtual table whose module is not here; its own tables are read


def _rows(rows: Iterable[tuple[Any, ...]]) -> bytes:
    return b"\n".join(b"\t".join(_cell(value) for value in row) for row in rows)


def _cell(value: Any) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return json.dumps(value, ensure_ascii=False, default=str).encode()


def mails_in(folder: Path, *, without: str = "") -> Sink:
    """Every mail, raw and decoded: each header and each part. The one address that it has to bear is taken out of `To`, and of
    the invitation in it; an invitation in base64 is searched decoded and with its long lines joined."""
    sink: Sink = {}
    for path in sorted(folder.glob("*.eml")):
        raw = path.read_bytes()
        mail = message_from_bytes(raw, policy=default)
        headers = "\n".join(f"{name}: {value}" for name, value in mail.items() if name not in ("To", "Delivered-To"))
        sink[f"{path.name} headers"] = headers.encode()
        body = raw.partition(b"\r\n\r\n")[2]
        sink[f"{path.name} addresses"] = (
            f"{mail['To']} {mail['Delivered-To']}".replace(without, "") if without else f"{mail['To']}"
        ).encode()
        for number, part in enumerate(mail.walk()):
            if part.is_multipart():
                continue
            decoded = part.get_payload(decode=True)
            assert isinstance(decoded, bytes)
            if part.get_content_type() in INVITATION:
                decoded = re.sub(rb"\r?\n[ \t]", b"", decoded).replace(f"mailto:{without}".encode(), b"mailto:")
                if part["Content-Transfer-Encoding"] == "base64":
                    for line in str(part.get_payload()).split():
                        body = body.replace(line.encode(), b"")
            sink[f"{path.name} part {number}"] = decoded
        sink[f"{path.name} raw body"] = body
    return sink


def prefect_says(api_url: str) -> Sink:
    """All that Prefect's API tells of runs, logs, events, artifacts, deployments and variables."""
    kinds = (
        "flow_runs",
        "task_runs",
        "flows",
        "deployments",
        "logs",
        "artifacts",
        "artifacts/latest",
        "variables",
        "automations",
    )
    sink: Sink = {}
    with httpx.Client(base_url=api_url, timeout=30, trust_env=False) as client:
        for kind in kinds:
            pages, offset, more = [], 0, True
            while more:
                answer = client.post(f"/{kind}/filter", json={"limit": PAGE, "offset": offset}).raise_for_status()
                pages.append(answer.content)
                more = len(answer.json()) == PAGE
                offset += PAGE
            sink[f"api {kind}"] = b"\n".join(pages)
        answer = client.post("/events/filter", json={"limit": 50}).raise_for_status()
        pages = [answer.content]
        while onward := answer.json()["next_page"]:
            answer = client.get(onward).raise_for_status()
            pages.append(answer.content)
        sink["api events"] = b"\n".join(pages)
    return sink
