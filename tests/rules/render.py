"""Writes docs/rules/stalled.md from the table of examples: `python -m tests.rules.render`."""

import re
from itertools import groupby
from pathlib import Path

from models.clock import Clock
from models.policy import DEFAULT, Layered
from models.rules.stalled import KINDS, RULE
from models.voice import Voice
from tests.builders import a_history, a_row, sharing
from tests.rules.stalled_examples import EXAMPLES, Example

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules" / "stalled.md"

HEAD = """# When is a client quiet?

What the rule `stalled` says of a client, shown by examples. Every line of these tables is tested, and this page is written from the
tests by `python -m tests.rules.render`; change the examples, not the page.

*Booked* means booked by a person: the endless tail of a weekly series does not count. *Seen* means attended, or past and not marked as
missed. Planned breaks of the client, leave of the therapist and public holidays do not count as time. The client's *rhythm* is the
middle one of the last gaps between attended appointments. Times are those of the practice's zone, Europe/Berlin unless another is named.

A rule never decides about care. It asks a clinician to look.
"""

ABOUT = {
    "quiet": "Nothing is booked, and it is longer since the client was seen than the floor and than a multiple of their own rhythm.",
    "missed": "The last appointments of which it is known how they went were all missed, whether another is booked or not.",
    "not_started": "The client asked for help, was never seen, and nothing is booked.",
    "unconfirmed": (
        "The last appointments are not marked, or only presumed to have taken place, though more are planned: a question about the"
        " record, asked in one weekly list for each therapist, and never an alarm about the client."
    ),
}
ANSWERS = {True: "yes", False: "no", None: "cannot say"}


def sentence(example: Example) -> str:
    """What `tending why` prints for the example."""
    together = sharing(example.now, pauses=example.pauses, blind=example.blind, **example.policy)
    row = a_row(a_history(**{"known_at": example.now, **example.history}), example.zone)
    voice = Voice(example.zone, "en_GB", example.now)
    lines = RULE.explain(together.case(row), together.policy(row), voice, Clock(example.now))
    return next(str(line["sentence"]) for line in lines if line["kind"] == example.kind)


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    layered = Layered(DEFAULT, {})
    for name, group in groupby(EXAMPLES, key=lambda example: example.kind):
        kind = KINDS[name]
        parts.append(f"\n## {kind.label}\n\n{ABOUT[name]}\n\n{kind.clears}\n")
        parts.append("\nIt reads these lines of the policy, here with their defaults:\n")
        parts += [f"- {layered.line(line)}" for line in kind.policy]
        parts.append(f"\n| A client | {kind.label.rstrip('?')}? | What `tending why` says |\n|---|---|---|")
        parts += [f"| {e.name} | {ANSWERS[e.fired]} | {sentence(e)} |" for e in group]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts) + "\n")


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name}: {len(EXAMPLES)} examples")
