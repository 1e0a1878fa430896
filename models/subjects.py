"""Whom a calendar entry concerns: hints that can be hashed, and the choice among a therapist's clients. Two hits are nobody."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

CODE = re.compile(r"\bC-[0-9A-HJKMNP-TV-Z]{7,}\b")
_BEFORE = re.compile(r"^C[-\s\N{EN DASH}\N{NON-BREAKING HYPHEN}]")
_MEANT = str.maketrans("OIL", "011")
LONGEST_NAME = 5  # words; a longer run of words is no name
MOST_WORDS = 24  # of a title are looked at
_MAIL = re.compile(r"[\w.!#$%&'*+/=?^{|}~-]+@[\w-]+(?:\.[\w-]+)+")


def code_in(text: str) -> str:
    """The code that somebody typed: small letters, without `C-`, O for 0, I or L for 1. Empty where it can be none."""
    code = "C-" + _BEFORE.sub("", text.strip().upper()).translate(_MEANT)
    return code if CODE.fullmatch(code) else ""


def normal_form(name: str) -> str:
    """A name as compared: no case, no accents, words in alphabetical order (so `Müller, Anna` is `Anna Müller`)."""
    return " ".join(sorted(words_of(name)))


def words_of(text: str) -> list[str]:
    """The words of a text as compared: no case, no accents."""
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss")) if not unicodedata.combining(c)
    )
    return re.findall(r"\w+", plain)


def possible_names(title: str, pattern: re.Pattern[str] | None = None) -> list[str]:
    """Normal forms of what could be a name in a title: the configured pattern's first group, else every run of 2 to 5 words."""
    if pattern is not None:
        found = pattern.search(title)
        return [normal_form(found.group(1))] if found and found.group(1) else []
    words = words_of(title)[:MOST_WORDS]
    runs = {
        " ".join(sorted(words[i : i + length]))
        for length in range(2, LONGEST_NAME + 1)
        for i in range(len(words) - length + 1)
    }
    if 0 < len(words) <= LONGEST_NAME:
        runs.add(" ".join(sorted(words)))
    return sorted(runs)


def mail_addresses(text: str) -> list[str]:
    """The mail addresses in a text as compared: without case, each once, in their order."""
    return list(dict.fromkeys(found.casefold() for found in _MAIL.findall(text)))


class Known(NamedTuple):
    """What of a client an entry may be matched by. `therapists` are all whose caseload the client is or was in."""

    client_id: int
    code_hash: str
    ref_hash: str
    name_hash: str
    therapists: frozenset[str]


class Roster:
    """All clients, arranged so that one entry is matched in a few look-ups."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._by_id: dict[str, int] = {}
        self._by_code: dict[str, int] = {}
        self._by_name: dict[tuple[str, str], set[int]] = defaultdict(set)
        for client in known:
            self._by_id[client.ref_hash] = client.client_id
            self._by_code[client.code_hash] = client.client_id
            if client.name_hash:
                for therapist in client.therapists:
                    self._by_name[therapist, client.name_hash].add(client.client_id)

    def concerned(self, hints: Mapping[str, Iterable[str]], therapist_id: str | None) -> tuple[tuple[int, ...], str]:
        """The clients that an entry with these hints concerns, and how they were found: `id`, `code`, `name`, `some`, or empty for
        nobody.

        Ids and codes name a client outright, and several of them a couple or group; `some` says that not all of them are known
        (yet). A name counts only within that therapist's caseload, and only if exactly one client there bears one of the names the
        title could hold.
        """
        ids, codes = tuple(hints.get("id", ())), tuple(hints.get("code", ()))
        by_id = [self._by_id[h] for h in ids if h in self._by_id]
        by_code = [self._by_code[h] for h in codes if h in self._by_code]
        if by_id or by_code:
            whole = len(by_id) + len(by_code) == len(ids) + len(codes)
            return tuple(sorted({*by_id, *by_code})), "some" if not whole else "id" if by_id else "code"
        if therapist_id is None:
            return (), ""
        named = set().union(*(self._by_name.get((therapist_id, h), ()) for h in hints.get("name", ())))
        return (tuple(named), "name") if len(named) == 1 else ((), "")
