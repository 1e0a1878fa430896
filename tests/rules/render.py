"""Writes docs/rules/<rule>.md from each rule's table of examples: `python -m tests.rules.render`."""

import re
from itertools import groupby
from pathlib import Path

from models.policy import DEFAULT
from models.policy_layers import Layered
from tests.rules.table import Example, Table, tables

PAGES = Path(__file__).resolve().parents[2] / "docs" / "rules"
ANSWERS = {True: "yes", False: "no", None: "cannot say"}
FOOT = """
Every line of these tables is tested, and this page is written from the tests by `python -m tests.rules.render`; change the examples, not
the page. Times are those of the practice's zone, Europe/Berlin unless another is named. A day that a threshold counts is 24 hours: where
the clocks change in between, it is reached an hour earlier or later by the clock on the wall.

A rule never decides about care. It asks a clinician to look.
"""


def sentence(table: Table, example: Example) -> str:
    """What `tending why` prints for the example."""
    return next(str(line["sentence"]) for line in example.explained(table.rule) if line["kind"] == example.kind)


def page(table: Table) -> str:
    """The whole page about a rule."""
    parts = [table.head, FOOT]
    layered = Layered(DEFAULT, {})
    for name, group in groupby(table.examples, key=lambda example: example.kind):
        kind = table.rule.kinds[name]
        parts.append(f"\n## {kind.label}\n\n{table.about[name].text}\n\n{kind.clears}\n")
        parts.append("\nIt reads these lines of the policy, here with their defaults:\n")
        parts += [f"- {layered.line(line)}" for line in kind.policy]
        parts.append(f"\n| A client | {kind.label.rstrip('?')}? | What `tending why` says |\n|---|---|---|")
        parts += [f"| {e.name} | {ANSWERS[e.fired]} | {sentence(table, e)} |" for e in group]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts) + "\n")


if __name__ == "__main__":
    PAGES.mkdir(parents=True, exist_ok=True)
    for rule, each in tables().items():
        (PAGES / f"{rule}.md").write_text(page(each), encoding="utf-8")
        print(f"{rule}.md: {len(each.examples)} examples")
