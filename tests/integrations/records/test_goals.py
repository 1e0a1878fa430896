"""Goals: what good rows say, both sides of every boundary of their days, and what is left at the border."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.records.vocabularies import ACHIEVEMENT_WORDS, GOAL_WORDS, WHOSE_WORDS, plain
from models.entries import Achievement, GoalEntry, GoalStatus
from models.instants import at_wall
from tests.integrations.records.exports import SECRET, ZONE, accounted, only_reject, read

S = SECRET
GOAL = "id,client,goal,set,status,target date,target,measure,words,achievement,achievement date,reviewed,updated"
TODAY, TOMORROW = "2026-11-03", "2026-11-04"  # NOW is nine in the morning of the first
TEXTS = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=20)


def goal(tmp_path: Path, **cells: str) -> GoalEntry:
    """The entry of one row with these cells; underscores stand for spaces."""
    named = {"id": "G", "client": "1042"} | {name.replace("_", " "): cell for name, cell in cells.items()}
    (entry,) = read(tmp_path, "goals", f"{','.join(named)}\n{','.join(named.values())}\n").entries
    assert isinstance(entry, GoalEntry)
    return entry


def test_a_goal_with_all_columns(tmp_path: Path) -> None:
    row = "G-1,1042,Sing again,2026-02-03,On-Hold,2026-12-15,twice a month,rehearsals,client,no-change,2026-05-12,2026-05-13"
    reading = read(tmp_path, "goals", f"{GOAL}\n{row},2026-06-03T10:00:00Z\n")
    assert reading.entries == [
        GoalEntry(
            id="G-1",
            client_id="1042",
            title="Sing again",
            set_on=date(2026, 2, 3),
            status=GoalStatus.on_hold,
            target_on=date(2026, 12, 15),
            reviewed_on=date(2026, 5, 13),
            achievement=Achievement.no_change,
            achievement_on=date(2026, 5, 12),
            has_target=True,
            has_measure=True,
            own_words=True,
            said_at=at_wall("2026-06-03T10:00:00", "UTC"),
        )
    ]
    assert reading.dropped == {"target": 1, "measure": 1}
    assert reading.kinds == {"goal"}


def test_a_goal_with_the_least(tmp_path: Path) -> None:
    assert goal(tmp_path) == GoalEntry(id="G", client_id="1042")
    assert goal(tmp_path, goal="", status="", achievement="", target=" ", measure="", words="") == GoalEntry(
        "G", "1042"
    )


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *[(status.value, status) for status in GoalStatus],
        ("Active", GoalStatus.active),
        ("On Hold", GoalStatus.on_hold),
        ("met", GoalStatus.completed),
        ("DONE", GoalStatus.completed),
        ("Canceled", GoalStatus.cancelled),
        ("rejected", GoalStatus.cancelled),
        ("dropped", GoalStatus.cancelled),
        ("entered-in-error", GoalStatus.cancelled),
        ("accepted", GoalStatus.proposed),
    ],
)
def test_words_for_a_goal(tmp_path: Path, word: str, status: GoalStatus) -> None:
    assert goal(tmp_path, status=word).status is status


@pytest.mark.parametrize("found", list(Achievement))
def test_words_for_an_achievement_with_hyphens_or_spaces(tmp_path: Path, found: Achievement) -> None:
    for word in (found.value, found.value.replace("-", " "), found.value.upper(), found.value.replace("-", "_")):
        assert goal(tmp_path, achievement=word).achievement is found


def test_every_word_for_goals_can_be_found_by_itself() -> None:
    for words in (GOAL_WORDS, ACHIEVEMENT_WORDS, WHOSE_WORDS):
        assert all(plain(word) == word for word in words)
    assert set(GOAL_WORDS.values()) == set(GoalStatus)
    assert set(ACHIEVEMENT_WORDS.values()) == set(Achievement)


@pytest.mark.parametrize(
    ("word", "own"),
    [("client", True), ("Own", True), ("yes", True), ("1", True), ("no", False), ("therapist", False), ("", False)],
)
def test_whose_words_a_goal_is_in(tmp_path: Path, word: str, own: bool) -> None:
    assert goal(tmp_path, words=word).own_words is own


@pytest.mark.parametrize(
    ("column", "day", "reason"),
    [
        # column, the day, why it is put aside; empty: it is read
        ("set", "1980-01-01", ""),
        ("set", "1979-12-31", "bad-date"),
        ("set", "1900-01-01", "bad-date"),  # what a spreadsheet makes of nothing
        ("set", TOMORROW, "in-the-future"),
        ("target date", "1970-01-01", "bad-date"),
        ("target date", "2046-12-31", ""),
        ("target date", "2047-01-01", "bad-date"),
        ("target date", "2099-12-31", "bad-date"),
        ("target date", "20225-12-31", "bad-date"),
        ("target date", "0202-12-31", "bad-date"),
        ("target date", "2026-02-30", "bad-date"),
        ("reviewed", TODAY, ""),
        ("reviewed", TOMORROW, "in-the-future"),
        ("reviewed", "2047-01-01", "bad-date"),
        ("achievement date", TODAY, ""),
        ("achievement date", TOMORROW, "in-the-future"),
        ("achievement date", "1979-12-31", "bad-date"),
    ],
)
def test_the_days_of_a_goal(tmp_path: Path, column: str, day: str, reason: str) -> None:
    reading = read(tmp_path, "goals", f"id,client,{column},{'set' if column != 'set' else 'reviewed'}\nG,1042,{day},\n")
    if not reason:
        assert len(reading.entries) == 1
        return
    reject = only_reject(reading)
    assert (reject.reason, reject.entry_id, reject.client_ids, reject.kind) == (reason, "G", ("1042",), "goal")
    assert reject.sentence.startswith(f'goals.csv, row 2, column "{column}": it ')
    assert day not in reject.sentence


def test_what_lies_ahead_is_today_where_the_source_is(tmp_path: Path) -> None:
    content = f"id,client,reviewed\nG,1042,{TOMORROW}\n"
    late = at_wall("2026-11-03T23:59:59", ZONE)
    assert only_reject(read(tmp_path, "goals", content, now=late)).reason == "in-the-future"
    assert not read(tmp_path, "goals", content, now=late + 1).rejects
    assert not read(tmp_path, "goals", content, now=late, zone="Asia/Tokyo").rejects


BAD_GOALS = [
    # a row, why it is put aside, what the sentence says, and whose row it is
    (",1042,x,,,", "missing", 'column "id": it is empty; fill it in', "1042"),
    ("G,,x,,,", "missing", 'column "client": it is empty', ""),
    (f"G,{S} Lind,x,,,", "name-as-id", 'column "client": it looks like a name', ""),
    ("2.98725E+13,1042,x,,,", "mangled-id", 'column "id": it is an id that a spreadsheet has rounded', "1042"),
    (f"G,1042,x,{S},,", "unknown-status", 'column "status": it is not one of: accepted, achieved, active,', "1042"),
    (f"G,1042,x,,{S},", "unknown-status", 'column "achievement": it is not one of: achieved, improving,', "1042"),
    (f"G,1042,x,,,{S}", "bad-yes-no", 'column "words": it does not say whose words they are; write client', "1042"),
]


@pytest.mark.parametrize(("row", "reason", "says", "client"), BAD_GOALS, ids=lambda v: str(v)[:40])
def test_one_bad_goal(tmp_path: Path, row: str, reason: str, says: str, client: str) -> None:
    content = f"id,client,goal,status,achievement,words\n{row}\nG-2,1042,y,,,\n"
    reading = read(tmp_path, "goals", content)
    reject = only_reject(reading)
    assert (reject.reason, reject.client_ids, reject.kind) == (reason, (client,) if client else (), "goal")
    assert reject.sentence.startswith("goals.csv, row 2, column ")
    assert says in reject.sentence
    assert [entry.id for entry in reading.entries] == ["G-2"]
    assert reading.kinds == {"goal"}
    assert bool(reject.entry_id) == row.startswith("G")


def test_of_target_and_measure_no_text_is_kept_anywhere(tmp_path: Path) -> None:
    header = "id,client,goal,status,target,measure,Session notes\n"
    texts = f"{S},{S},{S}\n"
    reading = read(tmp_path, "goals", header + f"G-1,1042,Sing,active,{texts}G-2,1042,Walk,never,{texts}")
    assert only_reject(reading).raw.decode().splitlines() == [
        "id,client,goal,status,target,measure",
        "G-2,1042,Walk,never,yes,yes",
    ]
    assert reading.dropped == {"target": 2, "measure": 2, "Session notes": 2}
    assert S not in repr(reading)
    assert S.encode() not in b"".join(reject.raw for reject in reading.rejects)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (f'G-2,1042,Walk,active,"{S}, {S},{S}\n', "broken-quotes"),
        (f"G-2,1042,Walk,a word, active,{S},{S},{S}\n", "too-many-cells"),
        (f"G-2,1042,{S}\n", "too-few-cells"),
    ],
)
def test_of_a_goal_whose_cells_cannot_be_told_apart_no_text_is_kept(tmp_path: Path, broken: str, reason: str) -> None:
    header = "id,client,goal,status,target,measure,note\n"
    rows = [broken, broken.replace("G-2", "G-3"), f"G-1,1042,Sing,active,,,{S}\n"]
    reading = read(tmp_path, "goals", header + "".join(rows))
    assert [reject.reason for reject in reading.rejects] == [reason, reason]
    assert len({reject.raw for reject in reading.rejects}) == 2, "two rows stay two in quarantine"
    assert all(S.encode() not in reject.raw for reject in reading.rejects)
    assert [entry.id for entry in reading.entries] == ["G-1"]


def test_bytes_that_are_no_text_matter_only_where_text_is_kept(tmp_path: Path) -> None:
    content = "id,client,goal,target\n1,1042,Müller,Žižek\n2,1042,Žižek,a\n5,1042,a,é\n".encode()
    reading = read(tmp_path, "goals", content + b"3,1042,a,M\xfcller\n4,1042,M\xfcller,a\n")
    assert only_reject(reading).reason == "bad-encoding"
    assert [entry.id for entry in reading.entries] == ["1", "2", "5", "3"]


def test_goals_that_differ_only_in_what_is_not_kept_are_one(tmp_path: Path) -> None:
    reading = read(tmp_path, "goals", "id,client,target,note\nG,1042,sings,a\nG,1042,sings twice,b\n")
    assert (len(reading.entries), reading.counts["goals"].repeated) == (1, 1)
    reading = read(tmp_path, "goals", "id,client,target\nG,1042,sings\nG,1042,\n")
    assert [reject.reason for reject in reading.rejects] == ["duplicate-id"] * 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, TEXTS)
def test_whatever_a_target_says_only_that_it_is_there_is_kept(tmp_path: Path, target: str, bad: str) -> None:
    mark = "Żółtość"
    cells = [mark + target.replace('"', ""), bad.replace('"', "")]
    content = "id,client,goal,target,status\n" + f'G,1042,Sing,"{cells[0]}","{cells[1]}"\n'
    reading = read(tmp_path, "goals", content.encode("utf-8", "replace"))
    assert accounted(reading)
    assert mark not in repr(reading)
    assert all(mark.encode() not in reject.raw for reject in reading.rejects)
