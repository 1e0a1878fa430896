"""docs/events.md names every event that Tending emits, and every one that starts a workflow, and no other."""

import re
from pathlib import Path

from flows import workflows
from models.changes import ChangeKind


def named(root: Path) -> set[str]:
    page = (root / "docs" / "events.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([a-z.]+)` \|", page, re.M))


def test_the_page_names_every_event(root: Path) -> None:
    emitted = {f"tending.{kind.value}" for kind in ChangeKind} | {"tending.changes.many"}
    heard = {event for workflow in workflows() for event in workflow.triggers}
    assert heard
    assert named(root) == emitted | heard
