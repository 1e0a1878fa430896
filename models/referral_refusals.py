"""What may be said of a referral when: each act that does not fit where it stands is refused with a sentence that names the remedy."""

from models import referral_table
from models.instants import DAY, HOUR
from models.referral_acts import CLOSE_REASONS, FEWER, LEAST_OPTIONS, NOT_KNOWN, WHO_CONSENTS, ReferralAct, What
from models.referral_shape import SEEN, Referral, State, Stuck

LONGEST_WAY = 366 * DAY
LONGEST_DAY = 25 * HOUR
MOVABLE = referral_table.TERMINAL | {referral_table.CANCEL_ASKED}
"""Statuses in which another provider may be chosen: nobody is left waiting for the client."""


def refuse(referral: Referral, act: ReferralAct) -> str | None:
    """Why an act does not fit where a referral stands, as a sentence with its remedy; None where it does."""
    if act.referral != referral.id:
        return "This is about another referral; nothing was changed."
    if referral.over and not (referral.untold and _ends_waiting(referral, act)):
        return f"This referral is closed ({_closed_as(referral)}); nothing was changed. A new one begins with `offer`."
    if referral.state is State.nothing and act.what is not What.offered:
        return "Nothing was offered yet; begin with `offer`."
    checks = {
        What.offered: _refuse_offer,
        What.chosen: _refuse_choice,
        What.self_arranged: _refuse_self_arranged,
        What.consented: _refuse_consent,
        What.sent: _refuse_sending,
        What.news: _refuse_news,
        What.attended: _refuse_attendance,
        What.fits: _refuse_fit,
        What.closed: _refuse_close,
    }
    check = checks.get(act.what)
    return check(referral, act) if check is not None else None


def _closed_as(referral: Referral) -> str:
    words = {State.fits: "it fits", State.refused: "the client said no"}
    return words.get(referral.state) or CLOSE_REASONS.get(referral.reason, "by a person's decision")


def _ends_waiting(referral: Referral, act: ReferralAct) -> bool:
    """Whether after an act nobody waits for the client any more: that the provider was told, or that they themselves are done with it."""
    if act.what is not What.news or act.word not in referral_table.WORDS:
        return False
    steps = referral_table.way(referral.status, act.word)
    return bool(steps) and steps[-1] in MOVABLE


def is_with_provider(referral: Referral) -> bool:
    """Whether a provider has it and may be waiting for the client."""
    said_no = referral.stuck in (Stuck.declined, Stuck.full)
    return referral.state is State.sent and referral.status not in MOVABLE and not said_no


WITH_PROVIDER = (
    "It is with a provider; ask them to cancel first (`news cancel-asked`), so that nobody waits for the client."
)


def _refuse_offer(referral: Referral, act: ReferralAct) -> str | None:
    if len(set(act.providers)) != len(act.providers):
        return "The same provider is named twice; name each once."
    if not act.providers:
        return "Name the providers that are offered."
    first = referral.state is State.nothing
    if act.reason not in (*FEWER, "") or (first and len(act.providers) < LEAST_OPTIONS and not act.reason):
        return f"Offer {LEAST_OPTIONS} suitable options, or say with --fewer why there are not: {', '.join(FEWER)}."
    if is_with_provider(referral):
        return WITH_PROVIDER
    if not first and not set(act.providers) - set(referral.options):
        return "These were offered already; name new ones, or say which was chosen."
    return None


def _refuse_choice(referral: Referral, act: ReferralAct) -> str | None:
    if act.provider not in referral.options:
        return "That provider was not offered; offer them first, then say that they were chosen."
    if act.provider == referral.provider and referral.state is State.chosen:
        return "That was chosen already; nothing was changed."
    return WITH_PROVIDER if is_with_provider(referral) else None


def _refuse_self_arranged(referral: Referral, act: ReferralAct) -> str | None:
    if act.provider and act.provider not in referral.options:
        return "That provider was not offered; leave it out where the client calls somebody else."
    if referral.state is State.self_arranged and not referral.stuck:
        return "That the client calls is written down already; nothing was changed."
    return WITH_PROVIDER if is_with_provider(referral) else None


def _refuse_consent(referral: Referral, act: ReferralAct) -> str | None:
    if referral.state not in (State.chosen, State.consented):
        return "Consent is for one provider; say first which was chosen (`choose`)."
    if act.provider != referral.provider:
        return "Consent was given for another provider than the one that was chosen; nothing was changed."
    if act.reason not in WHO_CONSENTS:
        return f"Say who consents: {', '.join(WHO_CONSENTS)}."
    return None


def _refuse_sending(referral: Referral, act: ReferralAct) -> str | None:
    if referral.state is State.sent:
        return "This was sent already; nothing was changed."
    if referral.state is not State.consented:
        return "Nothing is sent before the client's consent is written down (`consent --for ...`)."
    if act.provider != referral.provider:
        return "Consent was given for another provider; nothing was sent."
    if referral.part2 and not referral.consent_part2:
        return (
            "This referral is marked as under 42 CFR Part 2; nothing is sent before a consent that covers it is written "
            "down (`consent --for ... --part2`)."
        )
    return None


def _refuse_news(referral: Referral, act: ReferralAct) -> str | None:
    if act.word not in referral_table.WORDS:
        return f"That is no news that is known; there are {', '.join(referral_table.WORDS)}."
    if (why := wrong_day(referral, act)) is not None:
        return why
    if referral.state is State.self_arranged or (referral.state is State.attended and not referral.status):
        if act.word in ("cancel-asked", "cancel-confirmed"):
            return "Nothing was sent, so there is nothing to cancel."
        return None  # the client tells how it goes
    if not referral.status:
        return "Nothing was sent to a provider yet, so it moves nothing."
    if act.provider and act.provider != referral.provider:
        return "The referral is with another provider now, so it moves nothing."
    if not referral_table.way(referral.status, act.word):
        stands = referral_table.STATUSES[referral.status]
        follows = ", ".join(referral_table.following(referral.status))
        what = (
            f"what follows there is {follows}"
            if follows
            else "nothing follows there but another way, or that a person closes it"
        )
        return f"That does not follow from where the referral stands ({stands}); {what}."
    return None


def wrong_day(referral: Referral, act: ReferralAct) -> str | None:
    """Why the day of a visit that news tells of is a slip of the keyboard, with the remedy; None where it may be."""
    if act.day == NOT_KNOWN:
        return None
    if abs(act.day - act.at) > LONGEST_WAY:
        return "A visit lies within a year from now; correct its day."
    if act.word == "seen" and act.day > act.at:
        return "That day lies ahead; say `booked` until then."
    return _before_offer(referral, act)


def _before_offer(referral: Referral, act: ReferralAct) -> str | None:
    first = next((one.at for one in referral.acts if one.what is What.offered), referral.offered_at)
    if act.day + LONGEST_DAY <= first:
        return "That day lies before the referral was offered; correct it."
    return None


def _refuse_attendance(referral: Referral, act: ReferralAct) -> str | None:
    if act.day == NOT_KNOWN:
        return "Say on which day the client attended."
    if act.day > act.at:
        return "That day lies ahead; say so once the client has attended, or `news booked` until then."
    if (why := _before_offer(referral, act)) is not None:
        return why
    if referral.state is State.attended:
        return "That the client attended is written down already; nothing was changed."
    return None


def _refuse_fit(referral: Referral, act: ReferralAct) -> str | None:
    if referral.state is not State.attended and referral.heard < SEEN:
        return "Say first that the client attended (`attended DATE`)."
    if not act.fits and referral.stuck is Stuck.unfit:
        return "That it does not fit is written down already; nothing was changed."
    return None


def _refuse_close(referral: Referral, act: ReferralAct) -> str | None:
    if act.reason not in CLOSE_REASONS:
        return f"Say why it is closed; the reasons are {', '.join(CLOSE_REASONS)}."
    return None
