"""Eight habits that build trust, each as a question for a therapist to think about: never a diagnosis, and never a ranking of people."""

HABITS: tuple[tuple[str, str], ...] = (
    ("understanding", "When did this client last feel that you wished to understand, more than to help?"),
    ("rapport", "How quickly did the two of you get into talking last time, and what made it so?"),
    ("space", "Has this client shown that they want more room, or less?"),
    ("respect", "What do you admire in how this client copes, and do they know it?"),
    ("help", "What has been of use to this client lately, in their own words?"),
    ("rhythm", "Whose pace is the work going at: yours or this client's?"),
    ("self-disclosure", "Is what this client knows of you of use to them, no more and no less?"),
    ("online presence", "What would this client find if they looked you up, and would it fit what they know of you?"),
)


def question(number: int) -> str:
    """The question that comes after `number` others: none is asked again before all the others were."""
    return HABITS[number % len(HABITS)][1]
