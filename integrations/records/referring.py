"""From the cells of one row to a provider, or to news of a referral."""

from integrations.records.building import BadRowError, Doubts, Values, derived, said_at
from integrations.records.cells import Grammar
from integrations.records.progress import check_past, check_year
from models.entries import ProviderEntry, ReferralNewsEntry
from models.instants import start_of

LONGEST = 200  # characters
YEAR = 365


def provider(values: Values, grammar: Grammar, doubts: Doubts) -> ProviderEntry:
    """A provider of the directory."""
    check_year("verified", values.get("verified"), grammar, doubts, "leave it empty if nobody has checked")
    check_past("verified", values, grammar, doubts, "put the day of the last check there, not of the next one")
    for column in ("name", "place"):
        if len(values[column]) > LONGEST:
            raise BadRowError(column, "too-long", f"is longer than {LONGEST} characters", "shorten it")
    return ProviderEntry(
        id=values.get("id") or derived(plain(values["name"]), plain(values["place"])),
        name=values["name"],
        place=values["place"],
        specialty=values.get("specialty", ()),
        modality=values.get("modality", ()),
        language=values.get("language", ()),
        insurer=values.get("insurer", ()),
        telehealth=values.get("telehealth", False),
        address=values.get("address", ""),
        phone=values.get("phone", ""),
        email=values.get("email", ""),
        capacity=values.get("capacity", ""),
        verified_on=values.get("verified"),
        said_at=said_at(values, grammar),
    )


def referral_news(values: Values, grammar: Grammar, doubts: Doubts) -> ReferralNewsEntry:
    """What a provider told. It is never told of a day ahead, but a visit may lie ahead."""
    for column in ("told", "visit"):
        check_year(column, values.get(column), grammar, doubts, "correct it")
    check_past("told", values, grammar, doubts, "put the day of a visit that lies ahead under visit")
    word, visit = values["news"], values.get("visit")
    if visit is not None and word not in ("booked", "seen"):
        raise BadRowError("visit", "contradiction", "goes with booked or seen alone", "leave it empty")
    if visit is not None and abs((visit - values["told"]).days) > YEAR:
        raise BadRowError("visit", "bad-date", "lies more than a year from the day on which it was told", "correct it")
    if word == "seen":
        check_past("visit", values, grammar, doubts, "write booked, if the visit is to come")
    reference = values["referral"].upper()
    parts = (values["client"], reference, values.get("provider", ""), word, str(values["told"]), str(visit or ""))
    return ReferralNewsEntry(
        id=values.get("id") or derived(*parts),
        client_id=values["client"],
        referral=reference,
        word=word,
        told_at=start_of(values["told"], grammar.zone),
        provider_id=values.get("provider", ""),
        visit_at=None if visit is None else start_of(visit, grammar.zone),
        said_at=said_at(values, grammar),
    )


def plain(text: str) -> str:
    """A name or place as compared: without case and double spaces."""
    return " ".join(text.casefold().split())
