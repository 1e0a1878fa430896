"""The practice that the stories are told of: its settings, exports and calendars, and what has happened over the weekend."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from models.instants import DAY, Instant, instant_of, wall_of

NOW = instant_of(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))  # a Monday in working hours
BEFORE = NOW - 3 * DAY
ZONE = "Europe/Berlin"


@dataclass(frozen=True)
class Clinic:
    """A practice's folder and what it meets outside: the mail server's port, a calendar's address, a database, and the file in which
    a pager keeps what it was sent. Where there is one, a third therapist is reached by it alone."""

    folder: Path
    port: int
    web: str = ""
    url: str = ""
    pager: str = ""

    @classmethod
    def given(cls, folder: str, port: int, web: str = "", url: str = "", pager: str = "", **_: object) -> Self:
        """Of what a warm process is given."""
        return cls(Path(folder), port, web, url, pager)

    @property
    def toml(self) -> Path:
        return self.folder / "practice.toml"

    def write(self) -> None:
        """Settings and sources as they stand before the story. A calendar that is read by address lies here as well."""
        (self.folder / "exports").mkdir(parents=True)
        first = f'url = "{self.web}"' if self.web else 'path = "t1.ics"'
        self.toml.write_text(
            f"""
[practice]
name = "Northside"
zone = "{ZONE}"
[store]
url = "{self.url}"
[mail]
host = "127.0.0.1"
port = {self.port}
sender = "alerts@example.org"
[admin]
email = "admin@example.org"
[policy]
speak = "at_once"
ending_confirmed_by_peer = "T2"
[[source]]
name = "records"
kind = "records"
path = "exports"
[[source]]
name = "cal-t1"
kind = "calendar"
{first}
therapist = "T1"
[[source]]
name = "cal-t2"
kind = "calendar"
path = "t2.ics"
therapist = "T2"
{PAGED if self.pager else ""}
"""
        )
        therapists = ["T1,Dr K,k@example.org", "T2,Dr L,l@example.org"]
        self._export("therapists", "id,name,email", therapists + ["T3,Dr M,"] * bool(self.pager))
        self._people()
        self._appointments("booked")
        self._export("goals", GOALS, ["G1,1002,Wieder zur Chorprobe gehen,2026-10-05,in-progress,,2026-11-02"])
        self._export("scores", SCORES, ["S1,1002,SRS,2026-11-09 10:00,38"])
        self.calendar(1, [(f"next{c}", NOW + days * DAY, c) for c, days in (("1001", 4), ("1003", 3), ("1005", 2))])
        self.calendar(2, [("next1004", NOW + 3 * DAY, "1004")])

    def news(self) -> None:
        """Over the weekend: 1001 and 1005 cancelled, 1002 booked, 1006 came new, a row of 1003 is broken, a calendar is gone; the goal
        of 1002 is marked as getting worse and has another beside it, and their last rating is low. 1007 of the third therapist, if
        there is one, cancelled too."""
        self.calendar(1, [(f"next{c}", NOW + days * DAY, c) for c, days in (("1002", 5), ("1003", 3))])
        (self.folder / "t2.ics").unlink()
        self._people("1006,Fatma Öz,T1,intake,2026-11-20")
        self._appointments("cancelled", "late,1003,T1,2026-11-31 10:00,50,attended")
        worse = "G1,1002,Wieder zur Chorprobe gehen,2026-10-05,worsening,2026-11-22,2026-11-02"
        self._export("goals", GOALS, [worse, "G2,1002,Mit Jürgen reden,2026-11-22,in-progress,,"])
        self._export("scores", SCORES, ["S1,1002,SRS,2026-11-09 10:00,38", "S2,1002,SRS,2026-11-22 10:00,31"])

    def calendar(self, therapist: int, booked: list[tuple[str, Instant, str]]) -> None:
        """A therapist's calendar: entry, instant and client of each appointment ahead."""
        events = [
            f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID={ZONE}:{_digits(at)}\r\n"
            f"DURATION:PT50M\r\nSUMMARY:Session {NAMES[client]}\r\nEND:VEVENT\r\n"
            for uid, at, client in booked
        ]
        text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\n" + "".join(events) + "END:VCALENDAR\r\n"
        (self.folder / f"t{therapist}.ics").write_text(text, encoding="utf-8", newline="")

    def _export(self, form: str, header: str, rows: list[str]) -> None:
        (self.folder / "exports" / f"{form}.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")

    def _people(self, *new: str) -> None:
        paged = ["1007,Gül Özdemir,T3,active,2026-01-05"] * bool(self.pager)
        self._export("clients", "id,name,therapist,status,intake", [*CLIENTS, *paged, *new])

    def _appointments(self, next1007: str, *new: str) -> None:
        """All that was attended; the next one of 1007 is booked or cancelled."""
        rows = [
            _row(f"{client}-{week}", client, -week * 7, "attended") for client, some in WEEKS.items() for week in some
        ]
        if self.pager:
            rows += [_row(f"1007-{week}", "1007", -week * 7, "attended") for week in (8, 7, 6)]
            rows.append(_row("next1007", "1007", 3, next1007))
        self._export("appointments", "id,client,therapist,start,minutes,status", [*rows, *new])


NAMES = {"1001": "Zoë Ångström", "1002": "Ünal Çelik", "1003": "Cara Gül", "1004": "Dörte Weiß", "1005": "Elif Şahin"}
GOALS = "id,client,goal,set,achievement,achievement date,reviewed"
SCORES = "id,client,measure,taken,score"
CLIENTS = [f"{id},{name},{'T2' if id == '1004' else 'T1'},active,2026-01-05" for id, name in NAMES.items()]


WEEKS = {"1001": (9, 8, 7, 6), "1002": (12, 11, 10), "1003": (5, 4, 3), "1004": (4, 3, 2), "1005": (8, 7, 6)}
THERAPISTS = {"1004": "T2", "1007": "T3"}  # the others are with T1
CHANNEL = "pager"
PAGED = f"""
[[channel]]
name = "{CHANNEL}"
url_env = "STORY_PAGER"
therapist = "T3"
"""


def _row(id: str, client: str, days: int, status: str) -> str:
    """One appointment of the export, so many days from now."""
    at = wall_of(NOW + days * DAY, ZONE)[:16].replace("T", " ")
    return f"{id},{client},{THERAPISTS.get(client, 'T1')},{at},50,{status}"


def _digits(at: Instant) -> str:
    return wall_of(at, ZONE).replace("-", "").replace(":", "")
