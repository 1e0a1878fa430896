"""`ending CLIENT schedule`: which appointment has which part of an ending, what is proposed to the therapist, and what to the client."""

import sys
from typing import Any

import typer

from integrations import ending_schedule, scheduling
from integrations.ending_schedule import Planned
from integrations.practice import Practice
from integrations.store import lookups
from models.ending_acts import State
from models.ending_schedule import HOW_WORDS, PROBLEM_WORDS, ROLE_WORDS, Line, Schedule, nothing_new, still_stand
from models.ending_steps import Need
from models.errors import UsageError
from models.instants import Instant, utc_text
from models.invitations import CLIENT
from models.voice import Voice
from tending.commands.common import login, voice_of
from tending.output import clean, columns, moment, say, show_json

APPOINTMENTS_ARE = {
    Need.required: "appointments are asked for",
    Need.offered: "appointments are offered, not asked for",
    Need.none: "no appointment is asked for now",
}


def schedule(here: Practice, who: lookups.About, at: Instant, *, yes: bool, as_json: bool) -> None:
    """Propose to the therapist what an ending lacks; without `yes` only what would be proposed is shown."""
    proposed = None
    if yes:
        with here.store.write() as connection:
            proposed = ending_schedule.propose(here, connection, who.id, login(), at)
            found = ending_schedule.planned_for(here, connection, who.id, at)
    else:
        with here.store.read() as connection:
            found = ending_schedule.planned_for(here, connection, who.id, at)
    if found is None:
        raise UsageError("No ending was started for this client; `tending end` does.")
    if as_json:
        show_json({"code": who.code, "done": yes} | facts(found))
        return
    say(f"{who.code}: an ending, for which {APPOINTMENTS_ARE[found.schedule.need]}.")
    lines(found, who.code, voice_of(here, at), hint=False)
    new = len((proposed or found).schedule.new)
    if yes:
        many = "One appointment is" if new == 1 else f"{new} appointments are"
        say(
            f"{many} proposed to {found.schedule.therapist}; `tending up` sends the invitation. The client hears nothing."
        )
    elif new:
        say("Nothing was kept; `--yes` proposes what is new to the therapist, by mail.")


def tell_client(here: Practice, who: lookups.About, at: Instant, *, as_json: bool) -> None:
    """The client's own messages about what stands in the therapist's calendar, each shown as it is and sent only after a yes."""
    if as_json or not sys.stdin.isatty():
        raise UsageError("A message to a client is approved by a person: say this at a terminal, where you are asked.")
    with here.store.read() as connection:
        found = ending_schedule.planned_for(here, connection, who.id, at)
    if found is None or not found.news:
        raise UsageError(
            "There is nothing to tell the client: they hear of an appointment of an ending once the therapist's calendar shows it."
        )
    scheduling.must_be_reachable(here, who.code, login(), at)
    whose = found.schedule.therapist or who.therapist_id or "their therapist"
    say(
        f"What goes to a client is approved by {whose}, best on their page at the desk. Your yes here says, under your name, that "
        f"{whose} has approved exactly this."
    )
    say()
    sent = 0
    for news in found.news:
        drafted = scheduling.draft(here, who.id, f"{CLIENT}{who.code}", news.wanted, at, uid=news.uid, approved=login())
        if drafted.refused or drafted.payload is None:
            raise UsageError(f"That may not be sent: {drafted.problem}.")
        say(f"To the client ({clean(drafted.payload['to'])}), {drafted.payload['method']}:")
        for line in (f"Subject: {drafted.payload['subject']}", "", *drafted.payload["text"].rstrip().splitlines()):
            say(f"  {line}".rstrip())
        say()
        if typer.confirm(f"Has {whose} approved exactly this, and is it to be sent?"):
            with here.store.write() as connection:
                ending_schedule.tell_client(here, connection, who.id, found.stands.id, news, login(), at)
            sent += 1
    say(f"{sent} of {len(found.news)} will be sent; `tending up` does it." if sent else "Nothing was changed.")


# ---------------------------------------------------------------- what is shown


def lines(planned: Planned, code: str, voice: Voice, *, hint: bool = True) -> None:
    """The appointments of an ending, and what is to be known about them; with a `hint` how what is new is proposed."""
    found = planned.schedule
    if planned.stands.state is State.waiting:
        return
    if found.lines or found.aside:
        say()
        say("Appointments:")
        columns([_row(line, voice) for line in found.lines], indent=2)
        columns(
            [
                (moment(voice, each.start), "no part", PROBLEM_WORDS[each.problem])
                for each in found.aside
                if each.problem
            ],
            indent=2,
        )
    for sentence in (*_sentences(planned, code, voice), *(_hint(planned, code) if hint else ())):
        say(sentence)


def _row(line: Line, voice: Voice) -> tuple[str, str, str]:
    how = HOW_WORDS[line.how]
    return moment(voice, line.start), ROLE_WORDS[line.role], f"{how}: {line.reason}" if line.reason else how


def _sentences(planned: Planned, code: str, voice: Voice) -> list[str]:
    found, said = planned.schedule, []
    if found.missing and found.need is Need.required:
        parts = ", ".join(ROLE_WORDS[role] for role in found.missing)
        said.append(f"No appointment yet for what {parts}.")
        if not found.new:
            said.append(nothing_new(found))
    if found.beyond:
        said.append(still_stand(found.beyond, voice, "after the last part"))
    off = [news for news in planned.news if news.wanted.cancelled]
    if len(planned.news) > len(off):
        said.append(f"The client can be told of what stands: `tending ending {code} schedule --tell-client` asks you.")
    if off:
        many = "an appointment that is" if len(off) == 1 else f"{len(off)} appointments that are"
        said.append(
            f"The client was told of {many} off and does not know: call them, or "
            f"`tending ending {code} schedule --tell-client`, which asks you."
        )
    return said


def _hint(planned: Planned, code: str) -> list[str]:
    if not planned.schedule.new:
        return []
    how = "the daily look at endings does it, or you do now" if planned.by_itself else "only a person does it"
    return [f"Proposing what is new to the therapist: {how}, `tending ending {code} schedule --yes`."]


def facts(planned: Planned) -> dict[str, Any]:
    """The same for machines."""
    found: Schedule = planned.schedule
    return {
        "appointments": [
            {
                "start": utc_text(line.start),
                "end": utc_text(line.end),
                "part": line.role.value,
                "how": line.how.value,
                "uid": line.uid or None,
                "reason": line.reason or None,
            }
            for line in found.lines
        ],
        "missing": [role.value for role in found.missing],
        "beyond": [utc_text(start) for start in found.beyond],
        "without_part": [
            {"start": utc_text(each.start), "why": each.problem.value} for each in found.aside if each.problem
        ],
        "appointments_asked_for": found.need.value,
        "cannot_tell_because_of": list(found.blind),
        "client_not_told": [
            {"uid": news.uid, "start": utc_text(news.wanted.start), "cancelled": news.wanted.cancelled}
            for news in planned.news
        ],
    }
