"""The directory of providers to whom clients are referred: the table, and which three suit what is wanted, with the reasons."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import JSON, LargeBinary
from sqlmodel import Field, SQLModel

from models.policy import Policy

CAPACITY: dict[str, str] = {"open": "has room", "waiting": "has a waiting list", "full": "has no place at present"}
OPTIONS = 3  # offered at once
_LISTS = ("specialty", "modality", "language", "insurer")


class Provider(SQLModel, table=True):
    """A provider, under the directory's own id. `sealed` holds name, address, phone and mail address, encrypted; the lists are words in
    small letters; `capacity` is one of CAPACITY, empty where nobody said; `verified_on` is when somebody last checked the entry."""

    __tablename__ = "provider"

    id: str = Field(primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    place: str
    specialty: list[str] = Field(default_factory=list, sa_type=JSON)
    modality: list[str] = Field(default_factory=list, sa_type=JSON)
    language: list[str] = Field(default_factory=list, sa_type=JSON)
    insurer: list[str] = Field(default_factory=list, sa_type=JSON)
    telehealth: bool = False
    capacity: str = ""
    verified_on: date | None = None


class Listed(NamedTuple):
    """What of a provider decides whether they suit."""

    id: str
    place: str
    specialty: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    insurer: tuple[str, ...] = ()
    telehealth: bool = False
    capacity: str = ""
    verified_on: date | None = None


class Wanted(NamedTuple):
    """What is looked for; empty where it does not matter. `without` are providers that were tried already."""

    specialty: str = ""
    modality: str = ""
    language: str = ""
    insurer: str = ""
    place: str = ""
    telehealth: bool = False
    without: frozenset[str] = frozenset()


class Option(NamedTuple):
    """A provider that suits: the reasons for, and what to ask about before they are offered."""

    provider: Listed
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]


def options(
    providers: Iterable[Listed], wanted: Wanted, today: date, policy: Policy, most: int = OPTIONS
) -> list[Option]:
    """The best `most` that suit, best first. What is wanted is a condition where the directory tells of it: somebody whose languages are
    known and do not hold the one that is wanted is left out, somebody whose languages nobody wrote down comes last and is asked about.
    Equal ones stand in the order of their ids, so that the same question has the same answer."""
    found = [option for one in providers if (option := _suits(one, wanted, today, policy)) is not None]
    return sorted(found, key=lambda option: _rank(option, wanted, stale(option.provider, today, policy)))[:most]


def stale(provider: Listed, today: date, policy: Policy) -> bool:
    """Whether nobody has checked the entry for longer than the policy allows; one that was never checked is."""
    return provider.verified_on is None or (today - provider.verified_on).days >= policy.provider_verified_days


def _rank(option: Option, wanted: Wanted, old: bool) -> tuple[int, bool, int, int, int, str]:
    room = {"open": 0, "waiting": 2, "full": 4}.get(option.provider.capacity, 1)
    room = max(room, 3) if old else room  # that there was room long ago says little
    fresh = -option.provider.verified_on.toordinal() if option.provider.verified_on else 0
    elsewhere = bool(wanted.place) and _plain(wanted.place) != _plain(option.provider.place)
    return room, elsewhere, len(option.doubts), -len(option.reasons), fresh, option.provider.id


def _suits(provider: Listed, wanted: Wanted, today: date, policy: Policy) -> Option | None:
    if provider.id in wanted.without:
        return None
    reasons, doubts = [], []
    for name in _LISTS:
        asked, has = _plain(getattr(wanted, name)), [_plain(word) for word in getattr(provider, name)]
        if not asked:
            continue
        if asked in has:
            reasons.append(f"{name}: {asked}")
        elif has:
            return None
        else:
            doubts.append(f"{name} is not written down")
    if wanted.place:
        if _plain(wanted.place) == _plain(provider.place):
            reasons.append(f"in {provider.place}")
        elif provider.telehealth:
            reasons.append("by telehealth, from another place")
        else:
            return None
    if wanted.telehealth:
        if not provider.telehealth:
            return None
        reasons.append("offers telehealth")
    if provider.capacity == "open":
        reasons.append(CAPACITY["open"])
    elif provider.capacity:
        doubts.append(CAPACITY[provider.capacity])
    else:
        doubts.append("whether there is room is not written down")
    doubts += [_checked(provider, today)] * stale(provider, today, policy)
    return Option(provider, tuple(reasons), tuple(doubts))


def _checked(provider: Listed, today: date) -> str:
    if provider.verified_on is None:
        return "nobody has checked the entry"
    return f"last checked {(today - provider.verified_on).days} days ago: ask before offering"


def _plain(word: str) -> str:
    return " ".join(word.casefold().split())


def to_ask_first(providers: Iterable[Listed], today: date, policy: Policy) -> list[tuple[str, str]]:
    """Of providers that are about to be offered, those to be asked before: id and why. A client is not sent to a closed door."""
    found = []
    for one in providers:
        if one.capacity == "full":
            found.append((one.id, CAPACITY["full"]))
        elif stale(one, today, policy):
            days = (
                "nobody has checked the entry"
                if one.verified_on is None
                else f"last checked {(today - one.verified_on).days} days ago"
            )
            found.append((one.id, days))
    return found


def stale_ones(providers: Sequence[Listed], today: date, policy: Policy) -> list[Listed]:
    """Those that somebody should check, the longest unchecked first."""
    found = [one for one in providers if stale(one, today, policy)]
    return sorted(found, key=lambda one: (one.verified_on or date.min, one.id))
