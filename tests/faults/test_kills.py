"""SIGKILL at every commit and every call outward, and a restart: findings, notices, ledger and mailbox as if nothing had been."""

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from integrations.practice import open_practice
from integrations.store import audit, migrate
from integrations.store.tables import insert_new
from integrations.vault import Vault
from models.eligibility import Urgency
from models.instants import DAY
from models.notices import Notice
from models.noticing import ADMIN, NoticeKey, notice_row
from tests.faults.clinic import NOW, Clinic
from tests.faults.kills import Forge, Point, read_trace
from tests.faults.telling import Telling

KILLED = -9
HANDING = "integrations/delivery.py:PostRoom.give.<locals>.before"
SETTLING = "integrations/delivery.py:PostRoom.give"
PAGING = "integrations/messages/channels.py:hand_over"
# Of each kind the story must have come by so many at least, else the watching is broken and not the story short.
ENOUGH = {
    "before commit": 40,
    "after commit": 40,
    "outward smtp": 20,
    "outward connect": 5,
    "outward http": 2,
    "file": 2,
}


@pytest.mark.timeout(300)
@pytest.mark.long
def test_one_of_each_kind_of_kill_at_each_place_changes_nothing(telling: Telling) -> None:
    points, unkilled = recorded(telling)
    seed = int(os.environ.get("KILLS_SEED") or random.randrange(10_000))
    print(f"KILLS_SEED={seed} picks the same points again")
    kill_at_each(telling, points, unkilled, some_of(points, random.Random(seed)))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_kill_between_any_two_steps_of_an_ending_changes_nothing(telling: Telling) -> None:
    points, unkilled = recorded(telling)
    chosen = [point for point in points if "ending" in point.step]
    assert len(chosen) >= 10
    kill_at_each(telling, points, unkilled, chosen)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_kill_at_any_point_changes_nothing(telling: Telling) -> None:
    points, unkilled = recorded(telling)
    kill_at_each(telling, points, unkilled, points)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_kill_at_any_point_changes_nothing_on_postgresql(telling_on_postgres: Telling) -> None:
    points, unkilled = recorded(telling_on_postgres)
    kill_at_each(telling_on_postgres, points, unkilled, points)


def recorded(telling: Telling) -> tuple[list[Point], dict[str, Any]]:
    """The points of a run that nobody disturbs, enough of each kind, and what that run comes to."""
    telling.put_back()
    assert telling.tell() == 0
    points, unkilled = telling.trace(), telling.outcome()
    seen = Counter(kind for point in points for kind in ENOUGH if point.kind.startswith(kind))
    assert all(seen[kind] >= number for kind, number in ENOUGH.items()), seen
    assert {point.kind for point in points if point.place == PAGING} == {"outward connect", "outward http send"}
    the_story_is_worth_killing(unkilled)
    assert telling.asked() == 0
    return points, unkilled


def the_story_is_worth_killing(unkilled: dict[str, Any]) -> None:
    """Something of every kind has happened in it."""
    assert [mail[0] for mail in unkilled["mails"]].count(
        "k@example.org"
    ) == 3  # the findings, that the ending is confirmed, and an invitation
    assert [row["state"] for row in map(json.loads, unkilled["termination"])] == ["going"]
    assert {mail[0] for mail in unkilled["mails"]} == {"k@example.org", "l@example.org", "admin@example.org"}
    assert [json.loads(page)["title"] for page in unkilled["pages"]] == ["Northside: 1 item"]
    said = "".join(text for _, _, text in unkilled["mails"])
    assert all(
        words in said
        for words in (
            "Quiet: ",
            "Goal review: ",
            "Off track: ",
            "Session rating: ",
            "Not read: cal-t2",
            "The last 7 days",
            "Appointment on",
        )
    )
    assert any('"noticed"' in finding for finding in unkilled["finding"])
    assert any('"day_one"' in finding and '"cleared_at": 1' in finding for finding in unkilled["finding"])
    assert len(unkilled["quarantine"]) == 1
    assert unkilled["seals"] == [True, 0, [True]]
    acts = Counter(json.loads(row)["act"] for row in unkilled["audit"])
    ending = {"ending started": 1, "ending confirmed": 1, "ending done": 1}
    assert acts == {"code looked up": 2, "armed": 1, "answered": 2, "answer taken back": 1} | ending
    said = [json.loads(row) for row in unkilled["observation"]]
    assert {row["kind"] for row in said} >= {"goal", "score", "answer"}
    assert sorted((row["gone"], row["current"]) for row in said if row["kind"] == "answer") == [
        (False, False),
        (False, True),
        (True, True),
    ]
    became = [json.loads(row) for row in unkilled["finding_history"]]
    assert [row["kind"] for row in became if row["what"] == "unanswered"] == ["rating"]
    assert {(row["kind"], row["what"]) for row in became} >= {("review_due", "answered"), ("review_due", "cleared")}
    assert unkilled["change"]
    assert all('"drained_at": 1' in change for change in unkilled["change"])
    assert unkilled["leases"] == []
    assert unkilled["unsettled"] == []


def some_of(points: Iterable[Point], chance: random.Random) -> list[Point]:
    """One point of each kind and place, whichever step and time."""
    alike: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        alike.setdefault((point.kind, point.place), []).append(point)
    return sorted((chance.choice(group) for group in alike.values()), key=lambda point: point.number)


def kill_at_each(telling: Telling, points: list[Point], unkilled: dict[str, Any], chosen: list[Point]) -> None:
    """Each in turn, in a fresh copy of the practice: killed there, started again from that step, and compared at the end."""
    nobody_knows = set(handed_over(points))
    different = []
    for point in chosen:
        telling.put_back()
        assert telling.tell(kill=point.number) == KILLED, f"never came by {point.label}"
        assert telling.trace()[-1] == point, f"came by {telling.trace()[-1].label} instead of {point.label}"
        assert telling.tell(first=int(point.step.split()[0]), trace="second") == 0, f"no way on after {point.label}"
        ended = telling.outcome()
        parts = [name for name in unkilled if ended[name] != unkilled[name]]
        asked = telling.asked(), telling.questions()
        expected = (1, 1) if point.number in nobody_knows else (0, 0)
        if parts or asked != expected:
            shown = {
                name: (lacking(unkilled[name], ended[name]), lacking(ended[name], unkilled[name])) for name in parts
            }
            different.append((point.label, f"asked {asked} instead of {expected}", shown))
    assert not different


def lacking(of: list[Any], there: list[Any]) -> list[Any]:
    """What is in the first and not, or not so often, in the second."""
    rest = list(there)
    return [each for each in of if each not in rest or rest.remove(each)]


def handed_over(points: list[Point]) -> Iterator[int]:
    """The points between the ledger's word that a message is being handed over and its word that it was sent."""
    handing = False
    for point in points:
        if (point.kind, point.place) == ("after commit", HANDING):
            handing = True
        if (point.kind, point.place) == ("after commit", SETTLING):
            handing = False
        if handing:
            yield point.number


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [(ADMIN, [1, 1, 1, 2, 2]), ("therapist:T3", [1, 1, 1, 1, 2])],
    ids=["by mail", "by another channel"],
)
def test_a_safety_notice_whose_handing_over_was_cut_short_is_sent_again_by_itself(
    telling: Telling, recipient: str, expected: list[int]
) -> None:
    def begin() -> None:
        telling.put_back()
        key = NoticeKey("practice", "nightly_check", 1, 0, recipient)
        differ = [{"code": "C-7F3K9QX", "stored_says": "quiet", "fresh_says": "not quiet"}]
        facts = {"differ": differ, "differ_more": 0, "failed": [], "failed_more": 0}
        row = notice_row(key, Urgency.safety, NOW, DAY, NOW, facts=facts)
        with open_practice(telling.clinic.toml) as practice, practice.store.write() as connection:
            insert_new(connection, Notice, row)

    begin()
    assert telling.tell() == 0
    first_message = []
    for point in telling.trace():
        if first_message or (point.kind, point.place) == ("after commit", HANDING):
            first_message.append(point)
        if first_message and (point.kind, point.place) == ("before commit", SETTLING):
            break
    assert len(first_message) == 5
    copies = []
    for point in first_message:
        begin()
        assert telling.tell(kill=point.number) == KILLED
        assert telling.tell() == 0
        assert telling.asked() == 0, "somebody was asked before it was sent again"
        ended = telling.outcome()
        texts = [mail[2] for mail in ended["mails"]] + ended["pages"]
        copies.append(sum("C-7F3K9QX" in text or "read today" in text for text in texts))
    assert copies == expected, "once where the server had not taken it, else twice: better than not at all"


# ---------------------------------------------------------------- the first set-up


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def test_a_kill_while_a_practice_is_set_up_leaves_one_that_can_be_set_up(
    tmp_path: Path, forge: Forge, database: str, request: pytest.FixtureRequest
) -> None:
    folder, trace = tmp_path / "practice", tmp_path / "trace"
    url = request.getfixturevalue("postgres_database_url") if database == "postgres" else ""

    def create(kill: int | None) -> int:
        return forge.run(do="create", folder=folder, port=25, trace=trace, mails="", asked="", kill=kill)

    def begin() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        if url:
            empty(url)
        Clinic(folder, 25, url=url).write()

    begin()
    assert create(None) == 0
    points = read_trace(trace)
    kinds = Counter(point.kind for point in points)
    assert kinds["before commit"] >= 2
    assert {"file mkdir", "file link", "file open"} <= kinds.keys()
    for point in points:
        begin()
        assert create(point.number) == KILLED, f"never came by {point.label}"
        assert create(None) == 0, f"cannot be set up after {point.label}"
        with open_practice(folder / "practice.toml") as practice:
            assert migrate.current(practice.store) == migrate.head()
            assert audit.verify(practice.store).whole
            assert practice.vault.open(practice.vault.seal("said")) == "said"
        assert (folder / "keys").stat().st_mode & 0o777 == 0o600
        assert keys_elsewhere(folder) == [], f"the keys lie about after {point.label}"


def empty(url: str) -> None:
    """Take everything out of a PostgreSQL database, whoever was in it."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        connection.execute(f"{others} AND pid <> pg_backend_pid()")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def test_a_kill_while_keys_are_changed_loses_no_key(tmp_path: Path, forge: Forge) -> None:
    folder, trace = tmp_path / "practice", tmp_path / "trace"
    folder.mkdir()
    sealed = Vault.create(folder / "keys").seal("said")

    def rotate(kill: int | None) -> int:
        return forge.run(do="rotate", folder=folder, port=25, trace=trace, mails="", asked="", kill=kill)

    assert rotate(None) == 0
    points = read_trace(trace)
    assert {"file open", "file rename"} <= {point.kind for point in points}
    for point in points:
        assert rotate(point.number) == KILLED, f"never came by {point.label}"
        assert Vault.load(folder / "keys", {}).open(sealed) == "said", f"keys lost by {point.label}"
        assert rotate(None) == 0, f"no keys can be added after {point.label}"
        assert keys_elsewhere(folder) == [], f"the keys lie about after {point.label}"
    assert Vault.load(folder / "keys", {}).open(sealed) == "said"


def keys_elsewhere(folder: Path) -> list[str]:
    """Files beside the key file that hold a key of it."""
    key = (folder / "keys").read_text().splitlines()[-1]
    others = [path for path in folder.rglob("*") if path.is_file() and path.name != "keys"]
    return [path.name for path in others if key.encode() in path.read_bytes()]
