"""`refer`: what was said or done about a referral, one word at a time."""

import os
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from sqlalchemy import Connection

from integrations import referring
from integrations.practice import Practice
from integrations.store import lookups, providers, referrals
from models.errors import UsageError
from models.instants import Instant, start_of
from models.referral_acts import CLOSE_REASONS, FEWER, NOT_KNOWN, WHO_CONSENTS, ReferralAct, What
from models.referral_shape import Referral
from models.referral_table import OURS, WORDS
from models.referral_words import next_step, stands
from tending.commands.common import client_of, day_from, login, now, opened, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import clean, say, show_json, tell

OFFER, SEND = "offer", "send"
WHATS: dict[str, What] = {
    OFFER: What.offered,
    "refuse": What.refused,
    "choose": What.chosen,
    "self-arranged": What.self_arranged,
    "consent": What.consented,
    SEND: What.sent,
    "news": What.news,
    "attended": What.attended,
    "fits": What.fits,
    "close": What.closed,
}
"""The words of the command, and the act that each is."""


class _Given(NamedTuple):
    """What was typed after the word."""

    word: str
    providers: str
    follow_up: str
    fewer: str
    part2: bool
    purpose: str
    who: str
    provider: str
    day: str
    reason: str


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("refer")(refer)


def refer(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="The client's code, such as C-7F3K9QX.")],
    what: Annotated[str, typer.Argument(metavar="WHAT", help=f"What was said or done: {', '.join(WHATS)}.")],
    word: Annotated[
        str,
        typer.Argument(
            metavar="WORD",
            help=f"choose: the provider's id; news: {', '.join(WORDS)}; attended: the day; fits: yes or no.",
            show_default=False,
        ),
    ] = "",
    providers: Annotated[
        str,
        typer.Option("--providers", metavar="IDS", help="offer: three ids, with commas between.", show_default=False),
    ] = "",
    follow_up: Annotated[
        str,
        typer.Option(
            "--follow-up", metavar="YES_NO", help="offer: whether the client agreed to a follow-up.", show_default=False
        ),
    ] = "",
    fewer: Annotated[
        str,
        typer.Option("--fewer", metavar="WHY", help=f"offer: why not three: {', '.join(FEWER)}.", show_default=False),
    ] = "",
    part2: Annotated[
        bool, typer.Option("--part2", help="offer: it is under 42 CFR Part 2; consent: it covers that.")
    ] = False,
    purpose: Annotated[
        str,
        typer.Option(
            "--for", metavar="TEXT", help="consent: what may be sent, and what for; kept encrypted.", show_default=False
        ),
    ] = "",
    who: Annotated[str, typer.Option("--who", metavar="WHO", help=f"consent: {' or '.join(WHO_CONSENTS)}.")] = "client",
    provider: Annotated[
        str,
        typer.Option("--provider", metavar="ID", help="self-arranged, news: which one, if known.", show_default=False),
    ] = "",
    day: Annotated[
        str,
        typer.Option("--day", metavar="DATE", help="news booked or seen: the day of the visit.", show_default=False),
    ] = "",
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="WORD", help=f"close: {', '.join(CLOSE_REASONS)}.", show_default=False),
    ] = "",
    referral: Annotated[
        str,
        typer.Option("--referral", metavar="REF", help="Which one, where several are open.", show_default=False),
    ] = "",
    asked: Annotated[
        bool,
        typer.Option("--asked", help="offer: those who are full, or whom nobody has checked for long, were asked."),
    ] = False,
    another: Annotated[bool, typer.Option("--another", help="offer: a second referral beside the open one.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="send: I have read the letter and take it to the provider.")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="send: write the letter into this file.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Write down what was said or done about a referral.

    Options are offered, the client chooses or says no; they call themselves, or consent and the letter is sent; then
    what is heard, that they attended, and whether it fits. What does not follow from where it stands is refused, but
    news is always kept. `send` shows the letter and changes nothing without --yes; you take it to the provider.
    """
    at, by = now(), login()
    meant = WHATS.get(what.strip().lower().replace("_", "-"))
    if meant is None:
        raise UsageError(f"Say what was said or done: {', '.join(WHATS)}.")
    given = _Given(word.strip(), providers, follow_up, fewer, part2, purpose.strip(), who, provider, day, reason)
    _refuse_stray(meant, given, asked=asked, another=another, yes=yes, to=to)
    with opened(practice) as here:
        if meant is What.sent:
            said, letter = _send(here, client, referral, by, at, yes=yes, to=to)
        else:
            letter = ""
            with here.store.write() as connection:
                about = client_of(connection, client)
                reference = _reference(connection, about, referral, new=meant is What.offered, another=another)
                act, secret = _act(here, connection, about.id, reference, meant, given, by, at)
                if meant is What.offered and not asked:
                    remedy = "when you have, the same with --asked. Nothing was changed."
                    referring.must_be_asked(here, connection, act.providers, at, remedy)
                said = about, referring.say(here, connection, about.id, act, at, secret=secret)
        voice = voice_of(here, at)
    about, became = said
    stood = became.referral
    if as_json:
        facts = {"code": about.code, "referral": stood.id, "state": stood.state.value, "status": stood.status}
        show_json(facts | {"changed": became.changed, "why": became.unmoved_because, "letter": letter})
        return
    if letter and to is None:
        say(clean(letter))
    if meant is What.sent and not yes:
        tell("Nothing was changed. When you have read it: the same with --yes; then take it to the provider.")
        return
    if became.unmoved_because:
        say(f"{about.code}, {stood.id}: kept. {became.unmoved_because}")
    say(f"{about.code}, {stood.id}: {stands(stood, voice)} {next_step(stood)}".rstrip())
    if stood.untold:
        say(f"Once they know: tending refer {about.code} news {OURS} --referral {stood.id}")


def _refuse_stray(meant: What, given: _Given, *, asked: bool, another: bool, yes: bool, to: Path | None) -> None:
    """Refuse words that belong to something else: they would be thought to have been heard."""
    belongs: dict[str, tuple[bool, tuple[What, ...]]] = {
        "--providers": (bool(given.providers), (What.offered,)),
        "--follow-up": (bool(given.follow_up), (What.offered,)),
        "--fewer": (bool(given.fewer), (What.offered,)),
        "--asked": (asked, (What.offered,)),
        "--another": (another, (What.offered,)),
        "--part2": (given.part2, (What.offered, What.consented)),
        "--for": (bool(given.purpose), (What.consented,)),
        "--provider": (bool(given.provider), (What.self_arranged, What.news)),
        "--day": (bool(given.day), (What.news,)),
        "--reason": (bool(given.reason), (What.closed,)),
        "--yes": (yes, (What.sent,)),
        "--to": (to is not None, (What.sent,)),
        "A word": (bool(given.word), (What.chosen, What.news, What.attended, What.fits)),
    }
    for name, (there, goes_with) in belongs.items():
        if there and meant not in goes_with:
            words = [word for word, what in WHATS.items() if what in goes_with]
            raise UsageError(f"{name} goes with {' and '.join(words)}; nothing was changed.")


def _reference(connection: Connection, about: lookups.About, given: str, *, new: bool, another: bool) -> str:
    """Which referral is meant: the one that is named, else the only one that is open, for an offer else a new one."""
    mine = referrals.of_client(connection, about.id)
    if given:
        known = next((one.id for one in mine if one.id == given.strip().upper()), None)
        if known is None:
            raise UsageError("This client has no referral of that reference; `tending referrals` lists them.")
        return known
    going = [one for one in mine if one.offers and not one.over]
    if new and (another or not going):
        return referrals.new_reference(connection)
    if len(going) > 1:
        raise UsageError(f"Several are open: say which with --referral: {', '.join(one.id for one in going)}.")
    if going:
        return going[0].id
    closed = [one for one in mine if one.over]
    if closed:
        untold = [one for one in closed if one.untold]
        return [*closed, *untold][-1].id  # what is said of any other is refused with the reason
    raise UsageError("This client has no referral; begin with `offer --providers ...`.")


def _act(
    here: Practice,
    connection: Connection,
    client_id: int,
    reference: str,
    meant: What,
    given: _Given,
    by: str,
    at: Instant,
) -> tuple[ReferralAct, dict[str, Any] | None]:
    """The act that was typed, and what of it is kept encrypted."""
    act = ReferralAct(reference, meant, at, by=by, via="terminal", part2=given.part2)
    match meant:
        case What.offered:
            ids = providers.named(connection, given.providers)
            first = referrals.find(connection, client_id, reference).offers == 0
            if first and not given.follow_up:
                raise UsageError("Ask whether the client agrees to a follow-up, and say --follow-up yes or no.")
            agreed = _yes_no(given.follow_up, "--follow-up") if given.follow_up else False
            return act._replace(providers=ids, follow_up=agreed, reason=given.fewer), None
        case What.chosen:
            if not given.word:
                raise UsageError("Say which provider was chosen: `choose P1`.")
            return act._replace(provider=providers.one_named(connection, given.word)), None
        case What.consented:
            if not given.purpose:
                raise UsageError("Say what the consent is for: --for 'name, number and reason, so that they can call'.")
            provider = referrals.find(connection, client_id, reference).provider
            return act._replace(provider=provider, reason=given.who), {"purpose": given.purpose}
        case What.news:
            told = given.word.lower().replace("_", "-")
            if told not in WORDS:
                raise UsageError(f"Say what was heard: {', '.join(WORDS)}.")
            if given.day and told not in ("booked", "seen"):
                raise UsageError("A day goes with news booked or seen.")
            provider = providers.one_named(connection, given.provider, known=True) if given.provider else ""
            when = _day(here, given.day) if given.day else NOT_KNOWN
            return act._replace(word=told, day=when, provider=provider), None
        case What.attended:
            return act._replace(day=_day(here, given.word)), None
        case What.fits:
            return act._replace(fits=_yes_no(given.word, "fits")), None
        case What.closed:
            return act._replace(reason=given.reason), None
    return act._replace(provider=providers.one_named(connection, given.provider)), None


def _send(
    here: Practice, client: str, referral: str, by: str, at: Instant, *, yes: bool, to: Path | None
) -> tuple[tuple[lookups.About, referrals.Said], str]:
    """Show the letter, or write down that it is sent. A file that cannot be written changes nothing."""
    with here.store.write() as connection:
        about = client_of(connection, client)
        reference = _reference(connection, about, referral, new=False, another=False)
        stood: Referral = referrals.find(connection, about.id, reference)
        if yes:
            letter, said = referring.send(here, connection, about.id, about.code, stood, by, at)
        else:
            letter, said = referring.draft(here, connection, about.code, stood, by, at).text, referrals.Said(stood)
        if to is not None:
            _write(to, letter)
    return (about, said), letter


def _write(to: Path, letter: str) -> None:
    try:
        # It may hold a link by which anybody can answer: nobody else reads it.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(to.expanduser(), flags, 0o600), "w", encoding="utf-8") as file:
            file.write(letter)
    except OSError as error:
        raise UsageError(f"The letter could not be written ({error.strerror}); nothing was changed.") from None


def _yes_no(text: str, name: str) -> bool:
    word = text.strip().lower()
    if word not in ("yes", "no"):
        raise UsageError(f"Say yes or no: {name}.")
    return word == "yes"


def _day(here: Practice, text: str) -> Instant:
    return start_of(day_from(text), here.zone)
