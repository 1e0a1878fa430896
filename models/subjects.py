"""Whom a calendar entry concerns: hints that can be hashed, and the choice among a therapist's clients. Two hits are nobody."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

CODE = re.compile(r"\bC-[0-9A-HJKMNP-TV-Z]{7,}\b")
LONGEST_NAME = 5  # words; a longer run of words is no name
MOST_WORDS = 24  # of a title are looked at


def normal_form(name: str) -> str:
    """A name as compared: no case, no accents, words in alphabetical order (so `Müller, Anna` is `Anna Müller`)."""
    return " ".join(sorted(_words(name)))


def _words(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss")) if not unicodedata.combining(c))
    return re.findall(r"\w+", plain)


def possible_names(title: str, pattern: re.Pattern[str] | None = None) -> list[str]:
    """Normal forms of what could be a name in a title: the configured pattern's first group, else every run of 2 to 5 words."""
    if pattern is not None:
        found = pattern.search(title)
        return [normal_form(found.group(1))] if found and found.group(1) else []
    words = _words(title)[:MOST_WORDS]
    runs = {
        " ".join(sorted(words[i : i + length]))
        for length in range(2, LONGEST_NAME + 1)
        for i in range(len(words) - length + 1)
    }
    if 0 < len(words) <= LONGEST_NAME:
        runs.add(" ".join(sorted(words)))
    return sorted(runs)


class Known(NamedTuple):
    """What of a client an entry may be matched by. `therapists` are all whose caseload the client is or was in."""

    client_id: int
    code_hash: str
    ref_hashes: frozenset[str]
    name_hash: str
    therapists: frozenset[str]


def subjects(
    hashes: Mapping[str, str], therapist_id: str | None, roster: Iterable[Known]
) -> tuple[tuple[int, ...], str]:
    """The clients an entry concerns and how they were found (`id`, `code`, `name` or empty).

    `hashes` maps each hint's keyed hash to its sort (`id`, `code`, `name`). Ids and codes name a client outright, and several of them a
    couple or group. A name counts only within that therapist's caseload, and only if exactly one client there bears it.
    """
    by_id, by_code, by_name = set(), set(), set()
    for known in roster:
        if known.ref_hashes & hashes.keys():
            by_id.add(known.client_id)
        if hashes.get(known.code_hash) in ("code", "id"):
            by_code.add(known.client_id)
        if known.name_hash and hashes.get(known.name_hash) == "name" and (therapist_id in known.therapists):
            by_name.add(known.client_id)
    if by_id or by_code:
        return tuple(sorted(by_id | by_code)), "id" if by_id else "code"
    if len(by_name) == 1:
        return tuple(by_name), "name"
    return (), ""
