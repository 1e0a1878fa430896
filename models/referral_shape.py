"""The shape of a referral: its states, why one does not go on, what is next then, and all that is known of it."""

from enum import StrEnum
from typing import NamedTuple

from models.instants import Instant
from models.referral_acts import NOT_KNOWN, ReferralAct

MOST_OFFERS = 2  # rounds of options; after them a person decides (our choice)


class State(StrEnum):
    """How far a referral is. New ones are only ever added at the end: digests hold their places."""

    nothing = "nothing"  # not offered yet
    offered = "offered"
    chosen = "chosen"
    self_arranged = "self-arranged"  # the client calls
    consented = "consented"
    sent = "sent"
    attended = "attended"
    fits = "fits"
    refused = "refused"
    closed = "closed"


class Stuck(StrEnum):
    """Why a referral does not go on; places are held by digests as well."""

    no = ""
    declined = "declined"
    full = "full"
    cancelled = "cancelled"
    unfit = "unfit"
    untold = "untold"  # it is closed, and a provider may still be waiting for the client


class Rung(StrEnum):
    """What is next on the ladder where one does not go on; places are held by digests as well."""

    next_option = "next option"
    new_options = "new options"
    person = "a person decides"


STATES, STUCK, RUNGS = tuple(State), tuple(Stuck), tuple(Rung)
OVER = frozenset({State.fits, State.refused, State.closed})
BEGUN = frozenset({State.self_arranged, State.sent})
ACCEPTED, BOOKED, SEEN = 1, 2, 3  # the furthest that is known of the client's way there; 0: nothing


class Referral(NamedTuple):
    """How a referral stands. `since` when it came to `state`; `status` that of referral_table where it was sent; `options` all that were
    offered in `offers` rounds, `tried` those that do not go on; `begun_at`, `heard_at`, `visit_at` -1 where not known. `acts` are all that
    counted, `aside` all that did not, each with the sentence why."""

    id: str
    state: State = State.nothing
    since: Instant = NOT_KNOWN
    offered_at: Instant = NOT_KNOWN
    offers: int = 0
    agreed: bool = False
    part2: bool = False
    options: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    provider: str = ""
    status: str = ""
    consented_for: str = ""
    consent_part2: bool = False
    begun_at: Instant = NOT_KNOWN
    heard: int = 0
    heard_at: Instant = NOT_KNOWN
    visit_at: Instant = NOT_KNOWN
    stuck: Stuck = Stuck.no
    reason: str = ""
    acts: tuple[ReferralAct, ...] = ()
    aside: tuple[tuple[ReferralAct, str], ...] = ()

    @property
    def over(self) -> bool:
        """Whether the loop is closed."""
        return self.state in OVER

    @property
    def untold(self) -> bool:
        """Whether it is closed and nobody has told the provider yet, who may be waiting for the client."""
        return self.over and self.stuck is Stuck.untold

    @property
    def rung(self) -> Rung:
        """What would be next if the present provider came to nothing."""
        left = [one for one in self.options if one not in self.tried and one != self.provider]
        if left:
            return Rung.next_option
        return Rung.new_options if self.offers < MOST_OFFERS else Rung.person
