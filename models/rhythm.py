"""How often a client comes: their own rhythm, the one agreed with them, or the practice's usual one."""

from models.case import Case
from models.instants import DAY
from models.policy import Policy

AGREED = "agreed"


def rhythm_of(case: Case, policy: Policy) -> tuple[float, bool | str]:
    """The client's usual gap in seconds, and whether it is their own (True), the policy's default (False), or AGREED with them."""
    if policy.agreed_rhythm_days:
        return policy.agreed_rhythm_days * DAY, AGREED
    gaps = case.gaps(policy.rhythm_gaps)
    if len(gaps) >= policy.rhythm_least_gaps:
        return _middle(gaps), True
    return policy.usual_rhythm_days * DAY, False


def _middle(gaps: list[int]) -> float:
    """The median; the standard library's takes as long as all the rest of a look."""
    gaps = sorted(gaps)
    half = len(gaps) // 2
    return gaps[half] if len(gaps) % 2 else (gaps[half - 1] + gaps[half]) / 2
