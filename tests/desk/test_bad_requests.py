"""Requests that no browser of ours sends: a plain sentence each, nothing lost, nothing changed, no stack trace."""

import socket

import pytest
from sqlalchemy import text

from models.observations import Observation
from tests.desk.conftest import form


def plain(done, status):
    assert done.status_code == status, done.text
    assert "<h1>" in done.text
    assert "Traceback" not in done.text
    assert "Internal Server Error" not in done.text


def test_bodies_that_are_no_form_of_ours(served, code):
    kim = served.seated("therapist", "T1")
    where = f"/client/{code}/answer"
    plain(kim.browser.post(where, content=b"note=" + b"x" * 20_000), 413)
    plain(kim.browser.post(where, content=iter([b"a=b&"] * 6000)), 413)
    plain(kim.browser.post(where, content=b"note=\xff\xfe"), 400)
    plain(kim.browser.post(where, content=b"note=%FF%FE"), 400)
    plain(kim.browser.post(where, content=b"note=%00"), 400)
    plain(kim.browser.post(where, content=b"&".join(b"a%d=1" % n for n in range(40))), 400)
    plain(kim.browser.post(where, content=b""), 400)
    plain(kim.browser.post(where, content=b'{"form": 1}', headers={"content-type": "application/json"}), 400)
    done = form(kim.get("/today").text, "done")
    plain(kim.browser.post("/sign-in", content=b"x" * 20_000), 413)
    assert kim.send(done).status_code == 200
    assert len(served.clinic.rows(Observation, kind="answer")) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/today/",
        "/client",
        "/client/",
        "/../etc/passwd",
        "/desk.css.bak",
        "/docs",
        "/openapi.json",
        "/%ff",
        "/a" * 900,
    ],
)
def test_routes_that_do_not_exist(served, path):
    plain(served.seated("therapist", "T1").get(path), 404)
    plain(served.browser().get(path), 404)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "POST"])
def test_methods_that_are_not_taken(served, method):
    plain(served.seated("therapist", "T1").browser.request(method, "/today"), 404)


def test_clients_that_are_nobodys(served, code):
    kim = served.seated("therapist", "T1")
    for one in ("C-0000000", "Müller", "' OR 1=1", code.lower()[:-1], "%00", "x" * 3000):
        plain(kim.get(f"/client/{one}"), 404)


def test_a_cookie_of_nobody(served):
    browser = served.browser()
    for cookie in ("", "x", "x" * 5000, "ü", "a; b=c"):
        done = browser.get("/today", headers={b"cookie": f"tending-desk={cookie}".encode()})
        assert done.headers["location"] == "/sign-in"


def test_what_is_no_http_is_let_go(served):
    host, port = served.base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert b"Traceback" not in raw.recv(4096)
    assert served.browser().get("/sign-in").status_code == 200


def test_a_fault_of_ours_is_one_sentence_and_its_place_in_the_log(served, code, caplog):
    kim = served.seated("therapist", "T1")
    with served.clinic.practice.store.write() as connection:
        connection.execute(text("UPDATE client SET sealed = :blob"), {"blob": b"Anna Mueller"})
    plain(kim.get(f"/client/{code}"), 503)
    with served.clinic.practice.store.write() as connection:
        connection.execute(text("UPDATE finding SET kind = 'Anna Mueller'"))
    plain(kim.get("/today"), 500)
    lines = [r.getMessage() for r in caplog.records if r.name == "tending.desk" and r.levelname == "ERROR"]
    assert len(lines) == 2
    assert "KeyError at models/rules/__init__.py" in lines[1]
    assert not any("Anna" in line for line in lines)
