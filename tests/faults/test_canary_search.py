"""The search for identities finds every spelling, and nothing in what is sealed."""

import base64
import gzip
import hashlib
import html
import json
import pickle
import quopri
import unicodedata
import urllib.parse
import zlib

import pytest

from models.subjects import normal_form
from tests.faults.canary import Search
from tests.faults.canary_practice import NOTES, QUIET

PLAIN = "Þórunnsdóttir"
WRITTEN = {
    "plain": PLAIN.encode(),
    "decomposed": unicodedata.normalize("NFD", PLAIN).encode(),
    "in small letters": PLAIN.casefold().encode(),
    "as names are compared": normal_form(QUIET).encode(),
    "html": f"<b>{html.escape(QUIET)}</b>".encode("ascii", "xmlcharrefreplace"),
    "html by name": PLAIN.replace("Þ", "&THORN;").replace("ó", "&oacute;").encode(),
    "url": urllib.parse.quote(f"a={QUIET}").encode(),
    "url of a form": urllib.parse.urlencode({"q": QUIET}, encoding="cp1252", errors="replace").encode(),
    "json": json.dumps({"a": QUIET}).encode(),
    "json in json": json.dumps(json.dumps(json.dumps({"a": QUIET}))).encode(),
    "a representation": repr(QUIET.encode()).encode(),
    **{f"base64 behind {n}": base64.b64encode(b"x" * n + PLAIN.encode() + b"y") for n in range(3)},
    **{f"base64 of UTF-16 behind {n}": base64.b64encode(b"x" * n + PLAIN.encode("utf-16-le")) for n in range(3)},
    "base64 in lines": base64.encodebytes(b"z" * 50 + PLAIN.encode() + b"z" * 50),
    "quoted-printable": quopri.encodestring((f"{'z' * 70}{PLAIN} " * 3).encode()),
    "UTF-16": PLAIN.encode("utf-16-le"),
    "UTF-16 the other way": PLAIN.encode("utf-16-be"),
    "another code page": PLAIN.encode("cp1252"),
    "decoded wrongly and stored": PLAIN.encode().decode("latin-1").encode(),
    "compressed": b"before" + zlib.compress(f"{PLAIN} {NOTES}".encode() * 9) + b"after",
    "compressed as a file": gzip.compress(PLAIN.encode()),
    "pickled": pickle.dumps({"name": PLAIN}),
    "hexadecimal": PLAIN.encode().hex().encode(),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_the_search_finds_every_spelling(how: str) -> None:
    search = Search([QUIET])
    assert any(
        "runnsd" in found or "óttir" in found for found in search.found(b"\0" * 100 + WRITTEN[how] + b" and more")
    )
    assert not search.found(b"C-7F3K9QX is quiet; gAAAAABl" + base64.b64encode(hashlib.sha512(PLAIN.encode()).digest()))
