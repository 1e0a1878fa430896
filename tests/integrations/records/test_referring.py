"""The directory of providers and news of referrals: what is read, what is put aside and with which sentence, who is there twice."""

from datetime import date
from pathlib import Path

import pytest

from integrations.records.detect import detect
from models.entries import ProviderEntry, ReferralNewsEntry
from models.instants import start_of
from models.referral_table import WORDS
from tests.integrations.records.exports import NOW, SECRET, accounted, only_reject, read

HEADER = "id,name,place,specialty,language,telehealth,phone,capacity,verified\n"
GOOD = "P1,Dr Lena Fischer,Leeds,Trauma; eating  disorders,English;german,yes,0113,open,2026-02-03\n"
NEWS = "client,referral,provider,news,told,visit\n"


def test_a_provider(tmp_path: Path) -> None:
    reading = read(tmp_path, "providers", HEADER + GOOD)
    assert reading.entries == [
        ProviderEntry(
            "P1",
            "Dr Lena Fischer",
            "Leeds",
            ("trauma", "eating disorders"),
            language=("english", "german"),
            telehealth=True,
            phone="0113",
            capacity="open",
            verified_on=date(2026, 2, 3),
        )
    ]
    assert reading.kinds == {"provider"}


def test_without_an_id_name_and_place_are_it(tmp_path: Path) -> None:
    head = "name,place,phone\n"
    (one,) = read(tmp_path, "providers", f"{head}Dr A,Leeds,1\n").entries
    (same,) = read(tmp_path, "providers", f"{head}dr  a,LEEDS,2\n").entries
    (other,) = read(tmp_path, "providers", f"{head}Dr A,York,1\n").entries
    assert one.id == same.id != other.id  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("row", "reason", "says"),
    [
        ("P1,Dr A,,,,,1,,", "missing", 'column "place": it is empty; fill it in'),
        ("P1,,Leeds,,,,1,,", "missing", 'column "name": it is empty; fill it in'),
        ("P1,Dr A,Leeds,,,,,,", "missing", 'column "phone": it is empty; fill it in'),
        ("Lena Fischer,Dr A,Leeds,,,,1,,", "name-as-id", "looks like a name or address"),
        (f"P1,Dr A,Leeds,,,,1,{SECRET},", "unknown-status", 'column "capacity": it is not one of: accepting, '),
        ("P1,Dr A,Leeds,,,,1,,2027-01-01", "in-the-future", "put the day of the last check there"),
        ("P1,Dr A,Leeds,,,maybe,1,,", "bad-yes-no", "neither yes nor no"),
    ],
)
def test_one_bad_provider(tmp_path: Path, row: str, reason: str, says: str) -> None:
    reject = only_reject(read(tmp_path, "providers", HEADER + row + "\n"))
    assert (reject.reason, reject.kind) == (reason, "provider")
    assert reject.sentence.startswith("providers.csv, row 2, column ")
    assert says in reject.sentence


@pytest.mark.parametrize("ids", [("P1", "P2"), ("P1", ""), ("", "P1")])
def test_the_same_provider_twice_is_named_and_neither_is_read(tmp_path: Path, ids: tuple[str, str]) -> None:
    rows = f"{ids[0]},Dr A,Leeds,,,,1,,\n{ids[1]},dr a,leeds,,,,2,,\nP9,Dr A,York,,,,1,,\n"
    reading = read(tmp_path, "providers", HEADER + rows)
    assert accounted(reading)
    assert [entry.id for entry in reading.entries] == ["P9"]  # type: ignore[union-attr]
    assert [reject.reason for reject in reading.rejects] == ["duplicate-provider"] * 2
    for reject in reading.rejects:
        assert 'rows 2 and 3, column "name": two rows tell of the same provider in the same place' in reject.sentence
        assert "correct one of them, neither was read" in reject.sentence


def test_two_rows_without_id_of_one_provider(tmp_path: Path) -> None:
    reading = read(tmp_path, "providers", "name,place,phone\nDr A,Leeds,1\nDr A,Leeds,2\nDr B,Leeds,1\nDr B,Leeds,1\n")
    assert [reject.reason for reject in reading.rejects] == ["duplicate-id"] * 2
    assert "two different rows tell of the same provider in the same place" in reading.rejects[0].sentence
    assert (len(reading.entries), reading.counts["providers"].repeated) == (1, 1)


def test_news(tmp_path: Path) -> None:
    rows = "C-7F3K9QX,r-4mz81k,P1,Rescheduled,2026-03-16,2026-03-24\n1042,R-2,,full,2026-03-16,\n"
    first, second = read(tmp_path, "referral_news", NEWS + rows).entries
    zone = "Europe/London"
    assert isinstance(first, ReferralNewsEntry)
    assert (first.client_id, first.referral, first.provider_id, first.word) == ("C-7F3K9QX", "R-4MZ81K", "P1", "booked")
    assert first.told_at in (start_of(date(2026, 3, 16), zone), start_of(date(2026, 3, 16), "Europe/Berlin"))
    assert first.visit_at is not None
    assert isinstance(second, ReferralNewsEntry)
    assert (second.word, second.visit_at, second.provider_id) == ("full", None, "")
    assert {first.word, second.word} <= set(WORDS)


@pytest.mark.parametrize(
    ("row", "reason", "says"),
    [
        ("1042,,P1,full,2026-03-16,", "missing", 'column "referral"'),
        (",R-2,P1,full,2026-03-16,", "missing", 'column "client"'),
        ("1042,R-2,P1,lost,2026-03-16,", "unknown-status", 'column "news": it is not one of: accepted'),
        ("1042,R-2,P1,cancel-asked,2026-03-16,", "unknown-status", 'column "news"'),
        ("1042,R-2,P1,full,2027-03-16,", "in-the-future", "put the day of a visit that lies ahead under visit"),
        ("1042,R-2,P1,full,2026-03-16,2026-03-20", "contradiction", "goes with booked or seen alone"),
        ("1042,R-2,P1,booked,2026-03-16,2027-03-17", "bad-date", "more than a year"),
        ("1042,Lena Fischer,P1,full,2026-03-16,", "name-as-id", "looks like a name or address"),
        ("1042,R-2,P1,seen,2026-03-16,2027-01-20", "in-the-future", "write booked, if the visit is to come"),
    ],
)
def test_one_bad_piece_of_news(tmp_path: Path, row: str, reason: str, says: str) -> None:
    reject = only_reject(read(tmp_path, "referral_news", NEWS + row + "\n"))
    assert (reject.reason, reject.kind) == (reason, "referral")
    assert says in reject.sentence


def test_who_cannot_be_reached_is_asked_for_whatever_would_do(tmp_path: Path) -> None:
    reject = only_reject(read(tmp_path, "providers", "id,name,place,Street Address,phone,mail\nP1,Dr A,Leeds,,,\n"))
    assert reject.sentence.endswith('column "Street Address": it is empty; fill it in, or phone or mail.')


def test_both_files_are_found_among_exports(tmp_path: Path) -> None:
    (tmp_path / "directory 2026.csv").write_text("Name,City,Specialties,Phone\nDr A,Leeds,trauma,1\n")
    (tmp_path / "referral_news.csv").write_text(NEWS + "1042,R-2,P1,full,2026-03-16,\n")
    (tmp_path / "clients.csv").write_text("id,name,therapist\n1042,Ann Lee,T1\n")
    found = {one.form: one.file for one in detect(tmp_path, zone="Europe/London", read_at=NOW).forms}
    assert found == {
        "clients": "clients.csv",
        "providers": "directory 2026.csv",
        "referral_news": "referral_news.csv",
    }
