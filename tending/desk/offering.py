"""The page on which places are offered: what is looked for, and who suits, best first, with the reasons."""

import uuid
from collections.abc import Mapping

from fastapi.responses import Response

from integrations.store import cases, desk, providers, referrals
from integrations.store.providers import Contact
from models import directory
from models.access import Part
from models.directory import Listed, Option, Wanted
from models.referral_acts import FEWER, LEAST_OPTIONS
from tending.desk.asking import Asked, page
from tending.desk.referral import place_of, seen_of
from tending.desk.today import theirs

SHOWN_OPTIONS = 6
ASKED_FOR = ("specialty", "language", "insurer", "modality", "place")


def look(asked: Asked) -> Response:
    """The page that asks what is looked for. Looking changes nothing."""
    return _options(asked, asked.query.get("referral", ""), {})


def find(asked: Asked) -> Response:
    """Who suits, best first, with the reasons. What was looked for stands in no address."""
    asked.require_form()
    return _options(asked, asked.form.get("referral", ""), asked.form)


def _options(asked: Asked, reference: str, form: Mapping[str, str]) -> Response:
    who, may = theirs(asked, Part.referral)
    name = ""
    if Part.name in may:
        with asked.practice.store.write() as connection:
            name = desk.name_of(connection, asked.practice.vault, who.id, asked.by, asked.now)
    with asked.practice.store.read() as connection:
        mine = referrals.of_client(connection, who.id)
        going = next((one for one in mine if one.id == reference and not one.over), None)
        listed = providers.listed(connection)
        known = providers.contacts(connection, asked.practice.vault)
        policy = cases.shared(asked.practice, connection, asked.now)
        digest = next(iter(cases.digests(connection, [who.id])), None)
        layered = policy.policy(digest) if digest is not None else asked.practice.book.of()
    word = {name: form.get(name, "").strip()[:100] for name in ASKED_FOR}
    wanted = Wanted(
        word["specialty"],
        word["modality"],
        word["language"],
        word["insurer"],
        word["place"],
        telehealth=form.get("telehealth") == "yes",
        without=frozenset(going.options) if going else frozenset(),
    )
    found = directory.options(listed, wanted, asked.today, layered.policy, SHOWN_OPTIONS)
    return page(
        asked,
        "offer.html",
        title="Where to go next",
        code=who.code,
        name=name,
        reference=going.id if going else "",
        options=[_option(one, known) for one in found],
        ask_first=bool(directory.to_ask_first([one.provider for one in found], asked.today, layered.policy)),
        first=LEAST_OPTIONS,
        directory=len(listed),
        asked_for=word,
        looked_for=any(word.values()) or form.get("telehealth") == "yes",
        telehealth=form.get("telehealth") == "yes",
        words={name: _words(listed, name) for name in ASKED_FOR},
        fewer=FEWER,
        seen=seen_of(mine),
        id=uuid.uuid4().hex,
    )


def _words(listed: list[Listed], name: str) -> list[str]:
    """What the directory has of a kind, to choose from."""
    if name == "place":
        return sorted({one.place for one in listed if one.place})
    return sorted({word for one in listed for word in getattr(one, name)})


def _option(option: Option, known: Mapping[str, Contact]) -> dict[str, str]:
    place = place_of(option.provider.id, known, tried=False)
    doubts = f" To ask about first: {'; '.join(option.doubts)}." if option.doubts else ""
    reasons = f"{'; '.join(option.reasons).capitalize()}." if option.reasons else "No reason stands out."
    return {"id": place.id, "name": place.name, "reach": place.reach, "reasons": f"{reasons}{doubts}"}
