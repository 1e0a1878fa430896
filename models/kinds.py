"""The kinds of findings of all rules, by name and in the order in which people read them: safety first."""

from functools import cache

from models.rule import Kind
from models.rules import all_rules

SAFETY = "safety"
_ORDER = (SAFETY, "notice", "weekly_list")


@cache
def all_kinds() -> dict[str, Kind]:
    """Every kind, the most pressing first."""
    kinds = [kind for rule in all_rules() for kind in rule.kinds.values()]
    return {kind.name: kind for kind in sorted(kinds, key=lambda kind: _ORDER.index(kind.speaks))}


@cache
def place_of(kind: str) -> int:
    """Where a kind stands in that order; what no rule knows any more comes last."""
    names = list(all_kinds())
    return names.index(kind) if kind in names else len(names)


def is_safety(kind: str) -> bool:
    """Whether findings of this kind ask for safety."""
    found = all_kinds().get(kind)
    return found is not None and found.speaks == SAFETY
