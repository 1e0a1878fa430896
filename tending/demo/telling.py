"""What the demonstration says on the terminal: one line for each fact, in the order in which things happen."""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from integrations.looks import LookedAfter
from integrations.messages.mailbox import Mail
from integrations.practice import Practice
from integrations.store import accounts, finding_rows, lookups, nobodys, quarantine
from integrations.syncing import Synced
from models.findings import Opened
from models.instants import Instant, local
from models.rules import all_rules, told
from models.subjects import CODE
from models.voice import Voice
from models.words import counted, day_and_distance, time_of_day
from tending.demo.names import NAMES, THERAPISTS
from tending.demo.told_endings import codes, is_invitation, tell_of_endings
from tending.demo.world import World
from tending.demo.writing import ADMIN, AT_ONCE
from tending.output import columns, say, toned

KINDS = {name: kind for rule in all_rules() for name, kind in rule.kinds.items()}
LABELS = {name: KINDS[name].label for name in sorted(KINDS, key=lambda name: KINDS[name].speaks != "safety")}
WEEKLY = {name for name, kind in KINDS.items() if kind.speaks == "weekly_list"}
ALERT = re.compile(rf"(?m)^[^.\n]*(?:[:?] |\()({CODE.pattern})\)?$")  # the first line of an alert in a mail
TEAM = "This week: "
PEOPLE = {f"{mail}@northside.example": name for _, name, mail, *_ in THERAPISTS} | {ADMIN: "the administrator"}


# What a flow's counts are called here; those called nothing are said elsewhere.
COUNTS = {
    "looked": "looked at",
    "blind": "that cannot be told",
    "changes": "",
    "unmatched": "",
    "rejected": "set aside",
}


LINK = re.compile(r"http://127\.0\.0\.1:\d+/card/[\w-]+")


class Teller:
    """Tells one demonstration. It names therapists; of clients it says the code and nothing else."""

    def __init__(self, practice: Practice, world: World, folder: Path) -> None:
        self.practice = practice
        self.world = world
        self.folder = folder

    # ---------------------------------------------------------------- the history

    def opening(self, new: bool) -> None:
        """Where everything is, and whether it goes on from before."""
        say(f"A practice that does not exist, to see what Tending does. All its files are in {self.folder}")
        if not new:
            say(
                f"This demonstration was begun {self._moment(self.world.now)}, and is continued: the same week, nothing"
                " is sent twice. `--fresh` begins anew."
            )

    def read_back(self, synced: Synced, looked: LookedAfter) -> None:
        """What the first reading came to."""
        with self.practice.store.read() as connection:
            clients = lookups.client_counts(connection)
            unmatched = nobodys.unmatched_count(connection)
            appointments = lookups.appointment_count(connection)
        held = quarantine.listed(self.practice.store)
        calendars = sum(source.kind == "calendar" for source in self.practice.settings.source)
        self._heading(f"Nine months, read as of {self._day(self.world.week_ago)}")
        apart = ", ".join(f"{n} {name}" for name, n in sorted(clients.items()))
        columns(
            [
                (
                    "read",
                    f"{counted(synced.read, 'source')}: {counted(calendars, 'calendar')} (.ics), one set of exports (CSV)",
                ),
                ("clients", f"{sum(clients.values())} ({apart})"),
                ("therapists", f"{len(THERAPISTS)}, one of them new, one without records"),
                ("appointments", f"{appointments}, from {synced.new} entries: what two sources tell is one"),
                (
                    "nobody's",
                    f"{unmatched} of no client, listed and not guessed: team meetings, couples by name",
                ),
                (
                    "set aside",
                    f"{counted(len(held), 'entry', 'entries')} that nobody could understand; the others went through",
                ),
            ],
            indent=2,
        )
        columns([("", f"{item.place}: {item.reason}") for item in held], indent=14)
        say(f"  {counted(looked.decided.looked, 'client')} looked at for the first time.")

    def day_one(self) -> None:
        """The list to sort: what was so before anybody looked."""
        with self.practice.store.read() as connection:
            rows = [r for r in finding_rows.findings(connection) if r.opened == Opened.day_one]
        voice = self._voice(self.world.week_ago)
        self._heading(
            f"Day one: {counted(len(rows), 'thing')} already so. A list for each therapist to sort; nobody is mailed"
        )
        for therapist in sorted({row.therapist_id for row in rows}):
            mine = [row for row in rows if row.therapist_id == therapist]
            say(f"  {therapist} {NAMES.get(therapist, '')}")
            plain = [row for kind in LABELS for row in mine if row.kind == kind and kind not in WEEKLY]
            columns([self._finding(row, voice) for row in plain], indent=4)
            for kind in sorted(WEEKLY & {row.kind for row in mine}):
                number = sum(row.kind == kind for row in mine)
                say(f"    {LABELS[kind]}  {counted(number, 'client')} whose last three appointments nobody marked")

    # ---------------------------------------------------------------- the week

    def week_arrives(self) -> None:
        self._heading(f"One more week arrives: marks, bookings and cancellations until {self._moment(self.world.now)}")

    def runs(self, answers: Sequence[tuple[str, Any]]) -> None:
        """What each flow came to on the real server."""
        self._heading("The flows, run on Prefect's server")
        columns([(title, _came_to(answer)) for title, answer in answers], indent=2)

    def found(self) -> None:
        """What is new, what has cleared, and what could not be said."""
        with self.practice.store.read() as connection:
            rows = finding_rows.findings(connection, cleared_since=self.world.now)
        new = [row for row in rows if row.opened == Opened.noticed and row.cleared_at is None]
        cleared = [row for row in rows if row.cleared_at is not None]
        still = sum(row.opened == Opened.day_one and row.cleared_at is None for row in rows)
        voice = self._voice(self.world.now)
        self._heading(f"What the week brought: {counted(len(new), 'finding')}")
        by_kind = [row for kind in LABELS for row in new if row.kind == kind]
        columns([self._finding(row, voice, who=True) for row in by_kind], indent=2)
        if cleared:
            say(f"  Cleared by themselves: {_listed(f'{r.code} ({LABELS[r.kind]})' for r in cleared)}")
        say(f"  Still to sort from day one: {still}")

    def mails(self, fresh: Sequence[Mail], every: Sequence[Mail], morning: Instant) -> None:
        """Which alerts went to whom, and one of them in full."""
        if not fresh:
            self._heading(f"No mail was sent: all that had to be said was said before ({counted(len(every), 'mail')})")
            return
        self._heading(f"{counted(len(fresh), 'mail')} through Apprise to the mailbox")
        say(
            f"  Ordinary alerts wait for the next working morning: the demonstration's clock stands at {self._moment(morning)}."
        )
        say("  What asks for safety does not wait for anything.")
        if self.world.diary.works(AT_ONCE, self.world.diary.today):
            say(f"  {NAMES[AT_ONCE]} asked in practice.toml to hear at once.")
        away = [x for x in self.world.diary.leave if x.from_on <= local(morning, self.practice.zone).date() <= x.to_on]
        for leave in away:
            say(f"  {NAMES[leave.therapist]} is on leave that day: {NAMES[leave.cover]} gets what is theirs.")
        columns([self._mail(mail) for mail in fresh], indent=2)
        alerts = [m for m in fresh if ALERT.search(m.text) and TEAM not in m.text]
        shown = max(alerts or fresh, key=lambda mail: len(ALERT.findall(mail.text)))
        self._heading(f"One of them, to {PEOPLE.get(shown.to, 'somebody')}, as it was sent: {shown.subject}")
        _quote(shown.text)
        team = next((m for m in fresh if TEAM in m.text), None)
        if team is not None:
            self._heading(f"A supervisor's week, in the mail to {PEOPLE.get(team.to, 'somebody')}")
            _quote("\n\n".join(part for part in team.text.split("\n\n") if part.startswith(TEAM)))

    def endings(self, mails: Sequence[Mail], morning: Instant) -> None:
        """How an ending and a referral stand, and which of the mails are about them."""
        self._heading("Care that ends, and that goes on elsewhere")
        tell_of_endings(self.practice, self.world, mails, self._voice(morning))

    def desk(self, mails: Sequence[Mail], *, live: bool) -> None:
        """One link of those in the mails: it opens a card of the desk, where a therapist says what happened."""
        link = next((found.group() for mail in mails if (found := LINK.search(mail.text))), None)
        if link is None:
            return
        self._heading("The desk, where a therapist answers. One of the links in these mails")
        say(f"  {link}")
        if not live:
            say(f"  It opens while the desk is served: {self._called('desk')}")
        say("  What is answered there, `tending why` tells, and nobody is written to about it again.")
        self._today()

    def _today(self) -> None:
        """How to sign in as one of the therapists: nobody has an account before somebody makes one."""
        who, name, mail, *_ = THERAPISTS[0]
        address = f"{mail}@northside.example"
        with self.practice.store.read() as connection:
            people = accounts.listed(connection, self.practice.vault)
        number = next((one.id for one in people if one.address == address), None)
        say(
            f"  The whole of *Today*, as {name} sees it: an account, and a link that signs in, for a quarter of an hour."
        )
        if number is None:
            say(f"     {self._called(f'users add therapist {address} --therapist {who}')}")
        say(f"     {self._called(f'users link {number or len(people) + 1}')}")

    def _called(self, words: str) -> str:
        """A command as it is typed here."""
        return f"{self.command()} {words} --practice {self._path('practice.toml')}"

    def where(self, ui_url: str, *, live: bool) -> None:
        self._heading("Where things are")
        again = f"{self.command()} demo --folder {self._path()}"
        shown = ui_url if live else f"it ended with this story; {again} shows it again"
        columns(
            [
                ("Prefect", f"{shown}  (runs, open findings by code)"),
                ("mails", self._path("mails")),
                ("files", f"{self._path('calendars')}, {self._path('exports')}, {self._path('practice.toml')}"),
                ("databases, logs", f"{self._path('data')}, {self._path('prefect')}"),
            ],
            indent=2,
        )

    def try_next(self, mails: Sequence[Mail]) -> None:
        """Three commands that work."""
        told_of = [code for mail in mails for code in ALERT.findall(mail.text)]
        with self.practice.store.read() as connection:
            due = [row for row in finding_rows.findings(connection) if row.kind == "review_due" and row.code in told_of]
        ends, referred = codes(self.practice, self.world, self.world.now)
        self._heading("Three things to try next")
        rows = [(f"why {row.code}", "why a look at the goals is due, by which policy") for row in due[:1]]
        rows += [
            (f"ending {ends}", "the ending, step by step, and what comes next"),
            (f"timeline {referred}", "the whole care of who was referred on, on a page; the look is recorded"),
            (f"boundary {referred}", "whether that client may be contacted, and for what"),
        ]
        for number, (words, meaning) in enumerate(rows[:3], 1):
            say(f"  {number}. {meaning}:")
            say(f"     {self._called(words)}")

    def live(self) -> None:
        """How to see a mail arrive while it runs."""
        self._heading("It goes on by the real clock until Ctrl-C. To see a mail arrive")
        if self.world.diary.works(AT_ONCE, self.world.diary.today):
            say(f"  In {self._path('calendars', AT_ONCE.lower() + '.ics')}, change the one line")
            say("    STATUS:CONFIRMED")
            say("  to")
            say("    STATUS:CANCELLED")
            say(f"  and save. {NAMES[AT_ONCE]} has a client with nothing else booked, and wants to hear at once.")
        else:
            # Therapists hear on working days only; what concerns the practice itself is told the administrator at any time.
            say(f"  cp {self._path('calendars', 't6.ics')} {self._path('calendars', 't3.ics')}")
            say(
                "  A whole calendar vanishes: nothing is taken for cancelled, and the administrator is asked within a minute."
            )

    def to_mend(self, *, live: bool) -> None:
        """What `check` asks to be mended, which is part of the story."""
        rows = len(quarantine.listed(self.practice.store))
        self._heading(f"What {self._called('check')} finds to mend here, and why")
        say(f"  {counted(rows, 'row')} in quarantine: they were written so that there is something to find.")
        if not live:
            say("  The mail server: it was this demonstration's own, and ended with it.")

    def arrived(self, mail: Mail) -> None:
        """A mail that came while the reader watches."""
        say("A mail arrived: " + "  ".join(self._mail(mail)))

    # ---------------------------------------------------------------- words

    def command(self) -> str:
        """How this very program is called from here."""
        return _from_here(Path(sys.executable).with_name("tending"))

    def _path(self, *parts: str) -> str:
        return _from_here(self.folder.joinpath(*parts))

    def _heading(self, text: str) -> None:
        say()
        say(toned(text, "note"))

    def _voice(self, at: Instant) -> Voice:
        return Voice(self.practice.zone, self.practice.settings.practice.locale, at)

    def _day(self, when: Instant) -> str:
        today = local(self.world.now, self.practice.zone).date()
        return day_and_distance(local(when, self.practice.zone).date(), today=today, locale="en_GB")

    def _moment(self, when: Instant) -> str:
        return (
            f"{self._voice(self.world.now).day(when)}, {time_of_day(local(when, self.practice.zone), locale='en_GB')}"
        )

    def _finding(self, row: finding_rows.FindingRow, voice: Voice, *, who: bool = False) -> tuple[str, ...]:
        words = told(row.kind, row.reason, row.evidence, voice)
        return (*([row.therapist_id] if who else []), words["label"], row.code, words["sentence"])

    def _mail(self, mail: Mail) -> tuple[str, ...]:
        said = list(dict.fromkeys(ALERT.findall(mail.text)))
        weeks = mail.text.count(TEAM)
        said += [f"an invitation: {code}" for code in CODE.findall(mail.text) if is_invitation(mail)]
        said += [f"and the week of {counted(weeks, 'therapist')}"] * bool(weeks)
        return mail.path.name, PEOPLE.get(mail.to, mail.to), mail.subject, " ".join(said) or "counts only"


def _quote(text: str) -> None:
    for line in text.rstrip().splitlines():
        say(f"  | {line}".rstrip())


def _came_to(answer: Any) -> str:
    """A flow's counts in words, the ones that are nothing left out."""
    if not isinstance(answer, dict):
        return "done"
    counts = {name: value for name, value in answer.items() if isinstance(value, int) and value is not True and value}
    words = [f"{n} {COUNTS.get(name, name.replace('_', ' '))}" for name, n in counts.items() if COUNTS.get(name) != ""]
    return ", ".join(words) or "nothing to do"


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _from_here(path: Path) -> str:
    """A path as somebody would type it from the folder they are in."""
    try:
        text = os.path.relpath(path)
    except ValueError:
        return str(path)
    shown = str(path) if text.startswith("..") else text
    return f"'{shown}'" if re.search(r"[^\w./@+-]", shown) else shown
