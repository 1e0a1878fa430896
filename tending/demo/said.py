"""What the people of the demonstration practice say about care that ends: an ending begun and confirmed, a referral on its way.

It is said through the same functions as at the desk and at the terminal, each thing once however often it is told.
"""

from collections.abc import Iterator

from sqlalchemy import Connection

from integrations import ending, referring
from integrations.practice import Practice
from integrations.store import acts, identity, lookups, providers, referrals
from integrations.store.terminations import Start
from models.directory import options
from models.ending_acts import What as Said
from models.ending_steps import Reason
from models.instants import Instant, day_of
from models.noticing import therapist_recipient
from models.referral_acts import ReferralAct, What
from tending.demo.elsewhere import LOOKED_FOR
from tending.demo.names import SUPERVISORS
from tending.demo.world import ENDS, REFERRED, Person, World

BY = "demonstration"
REFERENCE = "R-7N4KQ2"
BEGUN, CONFIRMED, REFERRAL = "demo-ending", "demo-ending-confirmed", "demo-referral"


def code_of(practice: Practice, person: Person, now: Instant) -> str:
    """The code of somebody whose row was read; looked up as anybody does, audited."""
    (code,) = identity.codes_of(practice.store, practice.vault, person.id, BY, now)
    return code


def say_until(practice: Practice, world: World, until: Instant, since: Instant) -> None:
    """Say everything that was told by then. What was told before `since`, when there was nobody to tell it to, is said then."""
    (referred,), (ends,) = world.playing(REFERRED), world.playing(ENDS)
    _refer(practice, world, referred, until, since)
    _end(practice, world, ends, until, since)


def _end(practice: Practice, world: World, person: Person, until: Instant, since: Instant) -> None:
    """The therapist begins an ending in the evening after an appointment; the supervisor confirms it."""
    for act_id, told in ((BEGUN, world.ending_begun), (CONFIRMED, world.ending_confirmed)):
        if told > until or _was_said(practice, act_id):
            continue
        code, at = code_of(practice, person, until), max(told, since)
        with practice.store.write() as connection:
            client = _id(connection, code)
            if act_id == BEGUN:
                start = Start(Reason.poor_fit.value, "no")
                by = therapist_recipient(person.therapist)
                ending.begin(practice, connection, client, start, by, at, act_id=act_id)
            else:
                by = therapist_recipient(SUPERVISORS[person.therapist])
                ending.say(practice, connection, client, Said.confirmed, by, at, personal="no", act_id=act_id)


def _refer(practice: Practice, world: World, person: Person, until: Instant, since: Instant) -> None:
    """Three places were offered; the client chose one, called there and was accepted. What is written down together is looked at once."""
    new = [
        (f"{REFERRAL}-{number}", act)
        for number, act in enumerate(_referral(world))
        if act.at <= until and not _was_said(practice, f"{REFERRAL}-{number}")
    ]
    if not new:
        return
    code, by = code_of(practice, person, until), therapist_recipient(person.therapist)
    with practice.store.write() as connection:
        client, policy = _id(connection, code), practice.book.of().policy
        found = options(providers.listed(connection), LOOKED_FOR, day_of(until, practice.zone), policy)
        for act_id, act in new:
            if act.what is What.offered:
                act = act._replace(providers=tuple(option.provider.id for option in found))
            else:
                act = act._replace(provider=referrals.find(connection, client, REFERENCE).options[0])
            say = referring.say if act_id == new[-1][0] else referrals.say
            say(practice, connection, client, act._replace(by=by), max(act.at, since), act_id=act_id)


def _referral(world: World) -> Iterator[ReferralAct]:
    offered, begun, accepted = world.referral
    yield ReferralAct(REFERENCE, What.offered, offered, follow_up=True, via="desk")
    yield ReferralAct(REFERENCE, What.chosen, offered, via="desk")
    yield ReferralAct(REFERENCE, What.self_arranged, begun, via="desk")
    yield ReferralAct(REFERENCE, What.news, accepted, word="accepted", via="desk")


def _was_said(practice: Practice, act_id: str) -> bool:
    with practice.store.read() as connection:
        return acts.was_said(connection, act_id)


def _id(connection: Connection, code: str) -> int:
    about = lookups.about(connection, code)
    assert about is not None
    return about.id
