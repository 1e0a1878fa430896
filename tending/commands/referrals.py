"""`referrals` and `providers`: which referrals are open and what is next, and to whom a client can be referred."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from integrations.store import audit, providers, referrals
from integrations.store.providers import NOBODY
from integrations.store.referral_rows import referrals_by_client
from models.directory import OPTIONS, Option, Wanted, options, stale_ones
from models.instants import Instant, day_of
from models.referral_acts import ReferralAct, What
from models.referral_shape import Referral
from models.referral_words import next_words, state_words
from models.referrals import after_act
from models.rules.referral import next_asked
from models.told import NOT_KNOWN
from models.voice import Voice
from tending.commands.common import client_of, instant_or_none, login, now, opened, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import clean, columns, say, show_json


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("referrals")(list_referrals)
    app.command("providers")(list_providers)


def list_referrals(
    client: Annotated[
        str,
        typer.Argument(metavar="CLIENT", help="Only this client, with all that was said.", show_default=False),
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Which referrals are open, and what is next.

    One line each: code, reference, how far it is, what is next, and when it is asked about. With a client's code also
    every single thing that was said, and what of it changed nothing; each such look is recorded.
    """
    at = now()
    with opened(practice) as here:
        with here.store.write() if client else here.store.read() as connection:
            about = client_of(connection, client) if client else None
            mine = None if about is None else about.id
            rows = referrals.rows_of(connection, closed=everything or about is not None, client_id=mine)
            full = {
                one.id: one
                for found in referrals_by_client(connection, {row.client_id for row in rows}).values()
                for one in found
            }
            strays = referrals.stray(connection, mine)
            nobodys = [] if about is not None else referrals.of_nobody(connection)
            told = [] if mine is None else referrals.told_in_order(connection, mine)
            purposes: dict[str, list[tuple[Instant, str]]] = {}
            if about is not None:
                purposes = {
                    row.referral.id: referrals.purposes(here, connection, about.id, row.referral.id) for row in rows
                }
                audit.record(connection, at, login(), "referrals shown", about.code)
        voice, policy = voice_of(here, at), here.book.of().policy
    facts = []
    for row in rows:
        r, stood = row.referral, full[row.referral.id]
        asked = next_asked(stood, policy, at)
        fact: dict[str, Any] = {
            "code": row.code,
            "referral": r.id,
            "therapist": r.therapist_id,
            "state": r.state,
            "status": r.status,
            "provider": r.provider_id,
            "since": instant_or_none(r.since),
            "stuck": r.stuck,
            "next": next_words(r.state, r.stuck, r.rung, r.agreed),
            "asked_next": instant_or_none(asked),
            "kept_aside": r.aside,
            "_stands": state_words(r.state, r.status, r.stuck, r.heard),
            "_asked": ""
            if asked is None
            else f"asked about on {voice.day(asked)}"
            if asked > at
            else "asked about now",
        }
        if about is not None:
            fact["said"] = _said(stood, told, purposes.get(r.id, []), voice)
        facts.append(fact)
    if as_json:
        show_json(facts)
        return
    if not facts:
        say("No referral is open." if about is None else "Nothing was referred.")
    lines = [(f["code"], f["referral"], f["_stands"], f["next"], f["_asked"]) for f in facts]
    if about is None:
        columns(lines)
    for fact, line in zip(facts, lines, strict=True) if about is not None else ():
        columns([line])  # each with what was said of it below
        for one in fact["said"]:
            say(f"  {one['day']}  {one['what']}{'  (kept aside: ' + one['why'] + ')' if one['why'] else ''}")
    for code, reference, count in strays:
        say(f"{code}: news of {clean(reference)}, which is no referral of this client, is kept ({count}).")
    for reference, count in nobodys:
        say(
            f"News of {clean(reference)} about a client whom nobody knows is kept ({count}); see the file that told it."
        )


def _said(
    stood: Referral, told: Iterable[ReferralAct], purposes: list[tuple[Instant, str]], voice: Voice
) -> list[dict[str, str]]:
    """Everything that was said of a referral, in the order of saying, with why what was kept aside moved nothing."""
    then = Referral(stood.id)
    texts = iter(text for _, text in purposes)  # as many as there are consents, in their order
    found = []
    for act in (one for one in told if one.referral == stood.id):
        then, why = after_act(then, act)
        parts = [act.what.value, act.word, ", ".join(act.providers), act.provider, act.reason]
        if act.what is What.fits:
            parts.append("yes" if act.fits else "no")
        if act.part2:
            parts.append("42 CFR Part 2")
        if act.what is What.consented:
            parts.append(next(texts, ""))
        if act.day != NOT_KNOWN:
            parts.append(voice.day(act.day))
        by = f"by {act.by}" if act.by else f"from a {act.via}" if act.via else ""
        found.append({"day": voice.day(act.at), "what": clean(" ".join(filter(None, (*parts, by)))), "why": why})
    return found


def list_providers(
    specialty: Annotated[
        str, typer.Option("--specialty", metavar="WORD", help="Such as trauma.", show_default=False)
    ] = "",
    modality: Annotated[str, typer.Option("--modality", metavar="WORD", help="Such as EMDR.", show_default=False)] = "",
    language: Annotated[
        str, typer.Option("--language", metavar="WORD", help="Such as German.", show_default=False)
    ] = "",
    insurer: Annotated[str, typer.Option("--insurer", metavar="NAME", help="Who pays.", show_default=False)] = "",
    in_place: Annotated[
        str,
        typer.Option("--place", metavar="NAME", help="There, or by telehealth from elsewhere.", show_default=False),
    ] = "",
    telehealth: Annotated[bool, typer.Option("--telehealth", help="Only who sees clients by video.")] = False,
    without: Annotated[
        str, typer.Option("--without", metavar="IDS", help="Leave these out, with commas between.", show_default=False)
    ] = "",
    most: Annotated[int, typer.Option("--most", metavar="N", min=1, max=1000, help="How many.")] = OPTIONS,
    unchecked: Annotated[bool, typer.Option("--unchecked", help="Entries that nobody has checked for long.")] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Three providers that suit, with the reasons.

    From the directory (`providers.csv`, see docs/forms.md). Who does not fit is left out; where the directory does not
    tell, somebody comes later and it says what to ask. Nobody is ranked by money or favour.
    """
    at = now()
    with opened(practice) as here:
        with here.store.read() as connection:
            left_out = frozenset(providers.named(connection, without, known=True))
            wanted = Wanted(specialty, modality, language, insurer, in_place, telehealth, left_out)
            known = providers.listed(connection)
            reached = providers.contacts(connection, here.vault)
        today, policy = day_of(at, here.zone), here.book.of().policy
    found = (
        [Option(one, (), ("nobody has checked it for long",)) for one in stale_ones(known, today, policy)]
        if unchecked
        else options(known, wanted, today, policy, most)
    )
    if as_json:
        show_json([_option(one, reached.get(one.provider.id, NOBODY)._asdict()) for one in found])
        return
    if not found:
        say(_none(len(known), unchecked=unchecked))
    for one in found:
        to = reached.get(one.provider.id, NOBODY)
        say(clean(f"{one.provider.id}  {to.name}, {one.provider.place}"))
        say(clean(f"  {', '.join(filter(None, (to.address, to.phone, to.email)))}"))
        if one.reasons:
            say(clean(f"  suits: {'; '.join(one.reasons)}"))
        if one.doubts:
            say(clean(f"  ask: {'; '.join(one.doubts)}"))


def _option(one: Option, reached: dict[str, str]) -> dict[str, Any]:
    words = one.provider._asdict()
    verified = one.provider.verified_on
    words["verified_on"] = None if verified is None else verified.isoformat()
    return {**words, **reached, "reasons": list(one.reasons), "ask": list(one.doubts)}


def _none(known: int, *, unchecked: bool) -> str:
    if not known:
        return "The directory is empty; a providers.csv fills it, see docs/forms.md."
    if unchecked:
        return "Every entry was checked in time."
    return f"None of the {known} in the directory suits all of that; leave one of the wishes out."
