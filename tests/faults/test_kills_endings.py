"""SIGKILL at commits and calls outward of two endings, and a restart: the same steps, invitations and mails as if nothing had been."""

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from integrations.messages.mailbox import Mailbox
from integrations.store.arming import FILE
from tests.faults import ending_story
from tests.faults.ending_story import EACH, PARTS, STEPS, itip
from tests.faults.kills import Point
from tests.faults.telling import Telling
from tests.faults.test_kills import KILLED, handed_over, lacking


class Stage(NamedTuple):
    """Where a part of the story begins: the practice and its mailbox, kept aside; what happens then, and what it comes to."""

    kept: Path
    points: list[Point]
    nobody_knows: set[int]
    ended: dict[str, Any]


class Stages:
    """The story, part after part, each of which can be told again from where it begins."""

    def __init__(self, base: Path, mailbox: Mailbox) -> None:
        self._base, self._mailbox = base, mailbox
        self.telling = Telling(base, mailbox, story=ending_story)
        self.telling.put_back()
        self.stages: list[Stage] = []
        for number in range(len(PARTS)):
            kept = base / f"stage-{number}"
            for folder in self._folders():
                shutil.copytree(folder, kept / folder.name)
            assert self.tell(number) == 0
            assert self.telling.asked() == 0
            points = self.telling.trace()
            self.stages.append(Stage(kept, points, set(handed_over(points)), self.outcome()))

    def tell(self, number: int, *, kill: int | None = None, trace: str = "trace") -> int:
        """Tell one part, from a step of it that was killed or from its first."""
        first = number * EACH
        if trace != "trace":
            first = int(self.telling.trace()[-1].step.split()[0])
        return self.telling.tell(first=first, last=(number + 1) * EACH, kill=kill, trace=trace)

    def go_back_to(self, number: int) -> None:
        self.telling.put_back()
        for folder in self._folders():
            shutil.rmtree(folder)
            shutil.copytree(self.stages[number].kept / folder.name, folder)
        self._stay_armed()

    def _stay_armed(self) -> None:
        """A copy would stay silent: say that this is the very file. Before it was armed there is none."""
        file = self.telling.clinic.folder / "data" / FILE
        if file.exists():
            file.write_text(f"{file.read_text().split()[0]} {file.stat().st_ino}\n")

    def outcome(self) -> dict[str, Any]:
        """Everything. What was told again is looked at once more, which changes nothing: of changes those count that wait. An address may
        be opened again for a mail that did not leave."""
        found = self.telling.outcome()
        del found["seals"]
        waiting = sorted({change for change in found["change"] if '"drained_at": null' in change})
        audited = [act for act in found["audit"] if "contact read" not in act]
        told = sorted([to, text] for to, text, _ in itip(self._mailbox.folder))
        return found | {"change": waiting, "audit": audited, "itip": told}

    def _folders(self) -> tuple[Path, Path]:
        return self.telling.clinic.folder, self._mailbox.folder


@pytest.fixture
def stages(tmp_path: Path, mailbox: Mailbox) -> Iterator[Stages]:
    made = Stages(tmp_path, mailbox)
    yield made
    made.telling.close()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_kill_between_any_two_steps_of_an_ending_changes_nothing(stages: Stages) -> None:
    the_story_is_worth_killing(stages)
    seed = int(os.environ.get("KILLS_SEED") or random.randrange(10_000))
    print(f"KILLS_SEED={seed} picks the same points again")
    different, killed = [], 0
    for number, point in some_of(stages, random.Random(seed)):
        stage, telling = stages.stages[number], stages.telling
        stages.go_back_to(number)
        assert stages.tell(number, kill=point.number) == KILLED, f"never came by {point.label}"
        assert telling.trace()[-1] == point, f"came by {telling.trace()[-1].label} instead of {point.label}"
        assert stages.tell(number, trace="second") == 0, f"no way on after {point.label}"
        killed += 1
        ended = stages.outcome()
        asked = telling.asked(), telling.questions()
        expected = (1, 1) if point.number in stage.nobody_knows else (0, 0)
        parts = [name for name in stage.ended if ended[name] != stage.ended[name]]
        if parts or asked != expected:
            shown = {n: (lacking(stage.ended[n], ended[n]), lacking(ended[n], stage.ended[n])) for n in parts}
            different.append((point.label, f"asked {asked} instead of {expected}", shown))
    print(f"{killed} kills", *different, sep="\n")
    assert not different


def the_story_is_worth_killing(stages: Stages) -> None:
    """It came by everything that an ending can come to."""
    ended = stages.stages[-1].ended
    assert sorted(json.loads(row)["state"] for row in ended["termination"]) == ["closed", "withdrawn"]
    told = Counter((to, "CANCEL" if "METHOD:CANCEL" in text else "REQUEST") for to, text in ended["itip"])
    assert told == {
        ("k@example.org", "REQUEST"): 6,
        ("k@example.org", "CANCEL"): 2,
        ("1001@example.net", "REQUEST"): 3,
        ("1001@example.net", "CANCEL"): 1,
        ("1003@example.net", "REQUEST"): 3,
        ("1003@example.net", "CANCEL"): 2,
    }
    assert ended["unsettled"] == []
    acts = [row for row in ended["observation"] if '"proposed"' in row]
    assert len(acts) == 3


def some_of(stages: Stages, chance: random.Random) -> list[tuple[int, Point]]:
    """One point of each kind at each place, in whichever part; and in each part one before and one after a commit of each of its steps."""
    alike: dict[tuple[Any, ...], list[tuple[int, Point]]] = {}
    for number, stage in enumerate(stages.stages):
        for point in stage.points:
            alike.setdefault((point.kind, point.place), []).append((number, point))
            if "commit" in point.kind and STEPS[int(point.step.split()[0])][0] != "a little later":
                alike.setdefault((number, point.kind), []).append((number, point))
    return sorted({chance.choice(group) for group in alike.values()}, key=lambda each: (each[0], each[1].number))
