"""What codes of ethics say about personal relationships with clients: in our own words, with where it stands and how far it was checked.

Periods stand only inside the texts, as the codes have them: nothing here or elsewhere turns one into a day.
"""

from enum import StrEnum
from typing import NamedTuple


class Basis(StrEnum):
    """How far a text was checked against what it tells of."""

    seen = "V"  # against the code itself
    second_hand = "S"  # against what others write about it
    memory = "M"  # not at all: written from memory
    own = "own"  # the practice's own words


class Text(NamedTuple):
    """What a code says on one thing: `text` in whole sentences, `source` the place in the code, `basis` how far it was checked."""

    text: str
    source: str
    basis: Basis

    def quoted(self) -> str:
        """The text with where it stands, and that it was written from memory where it was."""
        memory = "; from memory, compare it with the code" if self.basis is Basis.memory else ""
        return f"{self.text} ({self.source}{memory})"


class Code(NamedTuple):
    """One code of ethics. `former` is what it says about former clients, with its period as the code gives it and each part marked for
    itself, `current` about current ones, and `not_to_begin` that no ending is made in order to begin a personal relationship, or a
    waiting period."""

    name: str
    former: tuple[Text, ...]
    current: Text
    not_to_begin: Text


def _ours(code: str) -> Text:
    return Text(
        "Care is not ended in order to begin a personal relationship, nor to begin a waiting period for one.",
        f"this practice's rule, beside what {code} says about relationships and about endings",
        Basis.own,
    )


CODES: dict[str, Code] = {
    "apa": Code(
        "American Psychological Association, 2017",
        (
            Text(
                "No sexual or romantic relationship with a former client for at least two years after therapy has ended.",
                "APA 2017, 10.08(a)",
                Basis.seen,
            ),
            Text(
                "Even after that only in the most unusual circumstances, and it is for the psychologist to show that nobody was"
                " exploited, in view of all that bears on it, from how therapy ended to the client's state of mind.",
                "APA 2017, 10.08(b)",
                Basis.memory,
            ),
        ),
        Text(
            "No sexual or romantic relationship with a client in therapy; no other relationship beside therapy that could impair"
            " it or harm the client.",
            "APA 2017, 10.05 and 3.05",
            Basis.memory,
        ),
        _ours("APA 2017 (10.08, 10.10)"),
    ),
    "aca": Code(
        "American Counseling Association, 2014",
        (
            Text(
                "No sexual or romantic relationship with a former client for five years after the last professional contact; after"
                " that only once it was thought through and documented that nobody is harmed.",
                "ACA 2014, A.5.c",
                Basis.seen,
            ),
            Text("The same holds for a former client's partner and family.", "ACA 2014, A.5.c", Basis.memory),
        ),
        Text(
            "No sexual or romantic relationship with a client in counselling, a client's partner or family, in person or"
            " electronically.",
            "ACA 2014, A.5.a",
            Basis.memory,
        ),
        _ours("ACA 2014 (A.5, A.12)"),
    ),
    "aamft": Code(
        "American Association for Marriage and Family Therapy, 2015",
        (
            Text(
                "Never a sexual relationship with a former client, nor with somebody known to be of a former client's family.",
                "AAMFT 2015, 1.5",
                Basis.memory,
            ),
        ),
        Text(
            "No sexual relationship with a client in therapy, nor with somebody known to be of the client's family.",
            "AAMFT 2015, 1.4",
            Basis.memory,
        ),
        _ours("AAMFT 2015 (1.4, 1.5, 1.9 to 1.11)"),
    ),
    "nasw": Code(
        "National Association of Social Workers, 2021",
        (
            Text(
                "No sexual relationship with a former client, because it may harm the client; the code names no period after"
                " which that would change, and whoever claims an exception bears the whole burden of showing that nobody was"
                " exploited.",
                "NASW 2021, 1.09(c)",
                Basis.memory,
            ),
        ),
        Text(
            "No sexual relationship or contact with a current client, agreed to or not.",
            "NASW 2021, 1.09(a)",
            Basis.memory,
        ),
        Text(
            "Services are not ended in order to begin a social, financial or sexual relationship with the client.",
            "NASW 2021, 1.17",
            Basis.memory,
        ),
    ),
}


def code_of(name: str, own_text: str = "") -> Code:
    """The code of that key of CODES; `own_text`, where there is one, stands in place of what it says about former clients."""
    code = CODES[name]
    if not own_text:
        return code
    return code._replace(former=(Text(own_text, "this practice's own text", Basis.own),))
