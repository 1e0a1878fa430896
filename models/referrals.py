"""A referral as what was said of it, in order, and how it stands then: offered, chosen or refused, self-arranged or consented and sent,
attended, fits.

Nothing that was said is ever lost: what does not fit where a referral stands does not move it and is kept aside with the reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from models import referral_table
from models.referral_acts import NOT_KNOWN, ReferralAct, What, act_of
from models.referral_refusals import is_with_provider, refuse, wrong_day
from models.referral_shape import ACCEPTED, BEGUN, BOOKED, RUNGS, SEEN, STATES, STUCK, Referral, State, Stuck
from models.told import Referred, number_of

__all__ = ["after_act", "all_referred", "referral_of", "referrals_of", "referred", "refuse"]

_FAR_AS = {"accepted": ACCEPTED, "under-way": ACCEPTED, "booked": BOOKED, "seen": SEEN, "finished": SEEN}
_SET_BACK = ("missed", "visit-cancelled")
_STUCK_BY = {
    "declined": Stuck.declined,
    "full": Stuck.full,
    "cancel-confirmed": Stuck.cancelled,
    "cancel-asked": Stuck.cancelled,
}


def referral_of(acts: Iterable[ReferralAct]) -> Referral:
    """The referral that follows from what was said of it, in the order of saying. Acts of another referral are kept aside."""
    found: Referral | None = None
    for act in acts:
        found, _ = after_act(found or Referral(act.referral), act)
    return found or Referral("")


def after_act(stands: Referral, act: ReferralAct) -> tuple[Referral, str]:
    """How a referral stands after one more act, and why that moved nothing and is kept aside, empty where it counts."""
    if (why := refuse(stands, act)) is not None:
        return stands._replace(aside=(*stands.aside, (act, why)), **_odd(stands, act)), why
    return _moved(stands, act)._replace(acts=(*stands.acts, act)), ""


def referrals_of(said: Iterable[Mapping[str, Any]]) -> list[Referral]:
    """All referrals of one client, in the order of their first word; `said` are the facts of acts in the order of saying."""
    by_id: dict[str, list[ReferralAct]] = {}
    for facts in said:
        act = act_of(facts)
        by_id.setdefault(act.referral, []).append(act)
    return [referral_of(acts) for acts in by_id.values()]


def referred(referral: Referral) -> Referred:
    """As a digest keeps it."""
    return Referred(
        number_of(referral.id),
        STATES.index(referral.state),
        referral.since,
        int(referral.agreed),
        referral.offered_at,
        referral.begun_at,
        referral.heard,
        referral.heard_at,
        referral.visit_at,
        STUCK.index(referral.stuck),
        RUNGS.index(referral.rung),
    )


def all_referred(said: Sequence[Mapping[str, Any]]) -> list[Referred]:
    """All referrals of one client as a digest keeps them; what was never offered is none."""
    return [referred(one) for one in referrals_of(said) if one.state is not State.nothing]


def _moved(referral: Referral, act: ReferralAct) -> Referral:
    """The referral after an act that fits."""
    to, left = referral._replace(since=act.at), _given_up(referral)
    unheard = to._replace(stuck=Stuck.no, heard=0, heard_at=NOT_KNOWN, visit_at=NOT_KNOWN)
    anew = unheard._replace(status="", begun_at=NOT_KNOWN, consented_for="", consent_part2=False)
    match act.what:
        case What.offered:
            new = tuple(one for one in act.providers if one not in referral.options)
            return anew._replace(
                state=State.offered,
                offered_at=act.at,
                offers=referral.offers + 1,
                agreed=act.follow_up if referral.state is State.nothing else referral.agreed or act.follow_up,
                part2=referral.part2 or act.part2,
                options=referral.options + new,
                tried=left,
                provider="",
            )
        case What.chosen:
            tried = tuple(one for one in left if one != act.provider)
            return anew._replace(state=State.chosen, provider=act.provider, tried=tried)
        case What.self_arranged:
            return anew._replace(state=State.self_arranged, provider=act.provider, tried=left, begun_at=act.at)
        case What.consented:
            return to._replace(state=State.consented, consented_for=act.provider, consent_part2=act.part2)
        case What.sent:
            return to._replace(state=State.sent, begun_at=act.at, status=referral_table.SENT)
        case What.news:
            return _told(referral, act)
        case What.attended:
            return to._replace(state=State.attended, visit_at=act.day, heard=SEEN, heard_at=act.at, stuck=Stuck.no)
        case What.fits:
            if act.fits:
                return to._replace(state=State.fits, stuck=Stuck.no)
            return to._replace(state=State.attended, stuck=Stuck.unfit)
        case What.refused:
            return to._replace(state=State.refused, stuck=_untold(referral))
        case What.closed:
            return to._replace(state=State.closed, reason=act.reason, stuck=_untold(referral))


def _untold(referral: Referral) -> Stuck:
    """Who closes a referral that is with a provider still has to tell them, so that nobody waits for the client."""
    return Stuck.untold if is_with_provider(referral) else Stuck.no


def _given_up(referral: Referral) -> tuple[str, ...]:
    """Whom there is no going on with once another way is taken: the present provider, where it was begun with them."""
    begun = referral.provider and (referral.stuck or referral.state in BEGUN or referral.state is State.attended)
    return tuple(dict.fromkeys((*referral.tried, *([referral.provider] if begun else []))))


def _told(referral: Referral, act: ReferralAct) -> Referral:
    """After news that fits: of a sent one its status moves, of a self-arranged one only how far the client is known to be."""
    after = referral._replace(heard_at=act.at)
    if referral.status:
        after = after._replace(
            status=(referral.status, *referral_table.way(referral.status, act.word))[-1], since=act.at
        )
    if referral.over:
        return after._replace(since=referral.since, stuck=Stuck.no)  # the provider waits no more
    if act.word in _STUCK_BY:
        gone = act.provider or referral.provider
        tried = tuple(dict.fromkeys((*referral.tried, *([gone] if gone else []))))
        # Who calls several is not at a loss while one that takes them is known.
        lost = referral.status or referral.heard < ACCEPTED or gone == referral.provider
        # What the client said of it after they were there outweighs that there is no more place.
        keeps = referral.stuck is Stuck.unfit or not lost
        return after._replace(tried=tried, stuck=referral.stuck if keeps else _STUCK_BY[act.word])
    if act.word in _SET_BACK:
        return after._replace(heard=min(referral.heard, ACCEPTED), visit_at=NOT_KNOWN)
    heard = max(referral.heard, _FAR_AS.get(act.word, 0))
    visit = act.day if act.word in ("booked", "seen") and act.day != NOT_KNOWN else referral.visit_at
    if act.word in ("seen", "finished") and visit == NOT_KNOWN:
        visit = act.at
    provider = referral.provider or (act.provider if heard >= ACCEPTED else "")
    stuck = Stuck.no if act.word in _FAR_AS and referral.stuck is not Stuck.unfit else referral.stuck
    return after._replace(heard=heard, visit_at=visit, provider=provider, stuck=stuck)


def _odd(referral: Referral, act: ReferralAct) -> dict[str, Any]:
    """What news that the table does not list still shows: that the provider says no must never be lost in silence, and what is known of
    the client's way is not asked for again."""
    if act.what is not What.news or referral.over or not referral.status or act.word not in referral_table.WORDS:
        return {}
    if act.provider and act.provider != referral.provider:
        return {}
    if act.word in ("declined", "full") and referral.status not in referral_table.TERMINAL:
        return {} if referral.stuck is Stuck.unfit else {"stuck": _STUCK_BY[act.word], "heard_at": act.at}
    heard = max(referral.heard, _FAR_AS.get(act.word, 0))
    if wrong_day(referral, act) is not None:
        return {}  # a slip: whoever made it says it again
    if heard == referral.heard or referral.status in (referral_table.DECLINED, referral_table.CANCELLED):
        return {}
    visit = act.day if act.day != NOT_KNOWN else act.at if heard == SEEN else referral.visit_at
    return {"heard": heard, "heard_at": act.at, "visit_at": visit}
