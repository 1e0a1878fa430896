"""SIGKILL of the real reactor, with its threads, at commits and calls outward, and a restart: as if nothing had been."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.kills import Forge, Kill, Point, read_trace
from tests.faults.telling import Telling
from tests.faults.test_kills import KILLED, PAGING, lacking
from tests.faults.web import Web, heard

EVERY = 8  # of the points of a run in its order
# It is called from a task of the event loop on whose stack nothing of ours is; all else that connects does so from a function of ours.
WATCHDOG = ("outward connect", "the story")


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_kill_of_the_reactor_changes_nothing(telling: Telling, web: Web, tmp_path: Path) -> None:
    """Its threads come by the same points in another order each time: the number counts, wherever that is. Up to the first call of the
    watchdog. Of what no number has hit, the first of each kind at each place."""
    forge = telling.a_forge("tests.faults.reacting", PREFECT_API_URL="http://127.0.0.1:9/api", **web.watchdog)
    told = Reacted(telling, web, forge, tmp_path)
    points = told.unkilled()
    kinds = Counter(point.kind for point in points)
    assert kinds["before commit"] >= 20, kinds
    assert kinds["outward smtp content"] == 3, kinds  # two mails of notices, and the invitation
    # One more may have been on its way when it ended.
    assert [(point.kind, point.place) for point in points].count(WATCHDOG) - len(heard(web.pings)) in (0, 1)
    # What threads come by only now and then, as when two meet, nobody can be sure to hit.
    wanted = seen(points) & seen(told.unkilled())
    assert wanted >= {("outward http send", PAGING), WATCHDOG}
    first_call = min(point.number for point in points if (point.kind, point.place) == WATCHDOG)
    hit = {told.kill(number) for number in range(0, first_call + 1, EVERY)}
    by_number = len(hit)
    missed = sorted(wanted - hit)
    for kind, place in missed:
        assert told.kill([kind, place]) == (kind, place)
    forge.close()
    print(f"{len(points)} points, {by_number} kinds and places by number, {len(missed)} by name")
    assert not told.different


def seen(points: list[Point]) -> set[tuple[str, str]]:
    return {(point.kind, point.place) for point in points}


class Reacted:
    """The practice after the reactor and the rest of the story, however often that was interrupted."""

    def __init__(self, telling: Telling, web: Web, forge: Forge, base: Path) -> None:
        self._telling, self._web, self._forge, self._base = telling, web, forge, base
        self._unkilled: dict[str, Any] = {}
        self.different: list[Any] = []

    def unkilled(self) -> list[Point]:
        """The points of a run that nobody disturbs, in its order."""
        self._telling.put_back()
        points, self._unkilled = self._on("trace", None), self._ended()
        return points

    def kill(self, kill: Kill) -> tuple[str, str]:
        """Killed there, started again, and compared at the end; answers kind and place."""
        self._telling.put_back()
        assert self._react("trace", kill) == KILLED, f"never came by {kill}"
        died = read_trace(self._base / "trace")[-1]
        self._on("again", None, died.label)
        ended = self._ended()
        parts = [name for name in self._unkilled if ended[name] != self._unkilled[name]]
        if parts or self._telling.asked() > 1:
            shown = {
                name: (lacking(self._unkilled[name], ended[name]), lacking(ended[name], self._unkilled[name]))
                for name in parts
            }
            self.different.append((died.label, self._telling.asked(), shown))
        return died.kind, died.place

    def _on(self, trace: str, kill: Kill, after: str = "the beginning") -> list[Point]:
        """React until the watchdog was called, then the rest of the story."""
        pinged = len(heard(self._web.pings))
        assert self._react(trace, kill) == 0, f"no way on after {after}"
        pings = heard(self._web.pings)
        assert len(pings) > pinged
        assert all(map(json.loads, pings)), "all was said to be well while a calendar was gone"
        assert self._telling.tell(first=1, trace="rest") == 0
        return read_trace(self._base / trace)

    def _react(self, trace: str, kill: Kill) -> int:
        return self._telling.ask(self._forge, "react", trace=self._base / trace, kill=kill, pings=self._web.pings)

    def _ended(self) -> dict[str, list[Any]]:
        return said_once(self._telling.outcome())


def said_once(ended: dict[str, Any]) -> dict[str, list[Any]]:
    """What may not differ though the order of readings does: of the mails the items, which may be bundled otherwise."""
    names = (
        "notices",
        "participant",
        "digest",
        "observation",
        "quarantine",
        "audit",
        "unsettled",
        "leases",
        "seals",
        "pages",
    )
    items = [(to, line) for to, _, text in ended["mails"] for line in text.splitlines() if ": " in line]
    return {name: ended[name] for name in names} | {"finding": ended["finding"], "items": sorted(items)}
