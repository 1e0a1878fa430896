"""Where a client is referred to, on their page: offered with reasons, chosen, consented, sent, heard of; each said in a form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.responses import Response
from sqlalchemy import Connection

from integrations import referring
from integrations.store import acts, audit, lookups, providers, referrals
from integrations.store.providers import NOBODY, Contact
from integrations.store.turns import take_turn
from models.access import Part
from models.errors import UsageError
from models.instants import start_of
from models.referral_acts import CLOSE_REASONS, LONGEST_PURPOSE, NOT_KNOWN, WHO_CONSENTS, ReferralAct, What
from models.referral_shape import Referral, State, Stuck
from models.referral_table import WORDS
from models.referral_words import next_step, stands
from tending.desk.asking import Asked, day_in, form_id, go, page
from tending.desk.ending import MEANWHILE
from tending.desk.today import theirs

TAKE_IT = (
    "Take it to them now: nothing is sent from here, and if it has a link, this is the only time that it is shown. What is "
    "kept, encrypted, has none."
)
DATED = ("booked", "seen")


@dataclass(frozen=True, slots=True)
class Place:
    """One provider that was offered, by name, with how to reach them."""

    id: str
    name: str
    reach: str
    tried: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One referral as the client's page shows it: how it stands, what is next, and which forms fit."""

    id: str
    sentence: str
    next: str
    follow_up: str
    options: tuple[Place, ...]
    chosen: str
    choosable: tuple[Place, ...]
    consents: bool
    sends: bool
    was_sent: bool
    calls: bool
    hears: bool
    attends: bool
    fits: bool
    refuses: bool
    offers: bool
    part2: bool
    over: bool
    untold: bool


def seen_of(mine: list[Referral]) -> str:
    """How many things were said of a client's referrals, so that a form from another tab is known for one."""
    return str(sum(len(one.acts) + len(one.aside) for one in mine))


def facts(asked: Asked, connection: Connection, who: lookups.About) -> dict[str, Any]:
    """What the client's page shows of referrals, the newest first, with the names of those that were offered."""
    mine = [one for one in referrals.of_client(connection, who.id) if one.offers]
    known = providers.contacts(connection, asked.practice.vault) if mine else {}
    return {
        "referrals": [_shown(asked, one, known) for one in reversed(mine)],
        "referrals_seen": seen_of(referrals.of_client(connection, who.id)),
        "close_reasons": CLOSE_REASONS,
        "who_consents": WHO_CONSENTS,
        "longest_purpose": LONGEST_PURPOSE,
        "news": {word: meaning for word, (_, _, meaning) in WORDS.items()},
    }


def _shown(asked: Asked, one: Referral, known: Mapping[str, Contact]) -> Shown:
    places = tuple(place_of(provider, known, provider in one.tried) for provider in one.options)
    state, stuck = one.state, one.stuck is not Stuck.no
    moving = state in (State.offered, State.chosen, State.consented) or stuck
    said = f"{stands(one, asked.voice)}"
    return Shown(
        one.id,
        said[:1].upper() + said[1:],
        next_step(one),
        "Follow-up is agreed." if one.agreed else "Offered, not followed: no follow-up was agreed.",
        places,
        next((place.name for place in places if place.id == one.provider), one.provider),
        tuple(place for place in places if not place.tried and place.id != one.provider) if moving else (),
        state is State.chosen and not stuck,
        state is State.consented and not stuck,
        state in (State.sent, State.attended) and bool(one.status),
        moving,
        state in (State.sent, State.self_arranged),
        state in (State.chosen, State.consented, State.sent, State.self_arranged),
        state is State.attended,
        not one.over,
        moving and not one.over,
        one.part2,
        one.over,
        one.untold,
    )


def place_of(provider: str, known: Mapping[str, Contact], tried: bool) -> Place:
    who = known.get(provider, NOBODY)
    return Place(provider, who.name, ", ".join(filter(None, (who.address, who.phone, who.email))), tried)


# ---------------------------------------------------------------- what is said


def say(asked: Asked) -> Response:
    """What a form says of a referral. Sent twice it is said once; news that changes nothing is kept all the same."""
    asked.require_form()
    who, _ = theirs(asked, Part.referral)
    asked.back, form, act_id = f"/client/{who.code}#referral", asked.form, form_id(asked)
    try:
        what = What(form.get("what", ""))
    except ValueError:
        raise UsageError("That cannot be said of a referral; nothing was changed.") from None
    text = ""
    with asked.practice.store.write() as connection:
        take_turn(connection)
        mine = referrals.of_client(connection, who.id)
        sent = what is What.sent and any(one.id == form.get("referral") and one.state is State.sent for one in mine)
        if not sent and not acts.was_said(connection, act_id):
            if form.get("seen", "") != seen_of(mine):
                raise UsageError(MEANWHILE)
            if what is What.offered:
                asked.back = f"/client/{who.code}/referral"
            reference = _reference(connection, mine, form.get("referral", ""), new=what is What.offered)
            if what is What.sent:
                stood = referrals.find(connection, who.id, reference)
                text, _ = referring.send(asked.practice, connection, who.id, who.code, stood, asked.by, asked.now)
            else:
                act, secret = _act(asked, connection, who.id, reference, what)
                if what is What.offered and form.get("asked") != "yes":
                    remedy = "when you have, say so below the list. Nothing was changed."
                    referring.must_be_asked(asked.practice, connection, act.providers, asked.now, remedy)
                referring.say(asked.practice, connection, who.id, act, asked.now, act_id=act_id, secret=secret)
    if text:
        return page(asked, "letter.html", title="Letter", code=who.code, text=text, note=TAKE_IT, send=None)
    if what is What.sent:
        return go(f"/client/{who.code}/referral/letter?referral={reference_of(form)}")
    return go(f"/client/{who.code}#referral")


def reference_of(form: Mapping[str, str]) -> str:
    """The reference in a form, as an address may hold it."""
    return "".join(sign for sign in form.get("referral", "") if sign.isalnum() or sign == "-")


def _reference(connection: Connection, mine: list[Referral], given: str, *, new: bool) -> str:
    if not given and new:
        return referrals.new_reference(connection)
    if given not in {one.id for one in mine}:
        raise UsageError("This client has no such referral; nothing was changed. Open the page anew.")
    return given


def _act(
    asked: Asked, connection: Connection, client_id: int, reference: str, what: What
) -> tuple[ReferralAct, dict[str, Any] | None]:
    """The act that a form says, and what of it is kept encrypted."""
    form = asked.form
    part2 = form.get("part2") == "yes"
    act = ReferralAct(reference, what, asked.now, by=asked.by, via="desk", part2=part2)
    provider = form.get("provider", "")
    match what:
        case What.offered:
            taken = tuple(form[name] for name in sorted(form) if name.startswith("take") and form[name])
            first = referrals.find(connection, client_id, reference).offers == 0
            if first and form.get("follow_up") not in ("yes", "no"):
                raise UsageError(
                    "Ask whether the client agrees to be asked how it went, and say so; nothing was changed."
                )
            return (
                act._replace(providers=taken, follow_up=form.get("follow_up") == "yes", reason=form.get("fewer", "")),
                None,
            )
        case What.consented:
            purpose = form.get("purpose", "").strip()
            if not purpose:
                raise UsageError("Say what the consent is for; nothing was changed.")
            stood = referrals.find(connection, client_id, reference)
            return act._replace(provider=stood.provider, reason=form.get("reason", "")), {"purpose": purpose}
        case What.news:
            word = form.get("word", "")
            day = day_in(asked, "day") if word in DATED else None
            at = NOT_KNOWN if day is None else start_of(day, asked.practice.zone)
            return act._replace(word=word, day=at), None
        case What.attended:
            day = day_in(asked, "day")
            return act._replace(day=NOT_KNOWN if day is None else start_of(day, asked.practice.zone)), None
        case What.fits:
            if form.get("fits") not in ("yes", "no"):
                raise UsageError("Say whether it fits; nothing was changed.")
            return act._replace(fits=form["fits"] == "yes"), None
        case What.closed:
            return act._replace(reason=form.get("reason", "")), None
    return act._replace(provider=provider), None


def letter(asked: Asked) -> Response:
    """The letter to the provider who was chosen: as it would be sent, to be read and approved, or as it was. Audited."""
    who, _ = theirs(asked, Part.referral)
    asked.back = f"/client/{who.code}#referral"
    with asked.practice.store.write() as connection:
        mine = referrals.of_client(connection, who.id)
        stood = next((one for one in mine if one.id == asked.query.get("referral", "")), None)
        if stood is None:
            return go(asked.back)
        text = referrals.letter_sent(asked.practice, connection, who.id, stood.id)
        draft = not text
        if draft:
            text = referring.draft(asked.practice, connection, who.code, stood, asked.by, asked.now).text
        audit.record(connection, asked.now, asked.by, "referral letter read", who.code, {"referral": stood.id})
    note = (
        "Nothing was sent yet. Read it; when you say that you take it to them, its link is made, and shown once."
        if draft
        else "You took it to them. This is what is kept, encrypted and without its link."
    )
    send = {"action": f"/client/{who.code}/referral", "referral": stood.id, "seen": seen_of(mine)} if draft else None
    return page(asked, "letter.html", title="Letter", code=who.code, text=text, note=note, send=send)
