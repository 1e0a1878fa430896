"""A referral as a row of a list: what follows from what was said of it, rewritten whenever something is."""

from sqlmodel import Field, SQLModel

from models.columns import instant
from models.referral_shape import Referral
from models.referral_words import since_of


class ReferralRow(SQLModel, table=True):
    """One referral of one client, by its reference (`R-4MZ81K`), as models.referrals derives it. `provider_id` is of the directory, empty
    where none is named; `heard` how far the client is known to have come there (0 to 3); `aside` how much was said that changed nothing."""

    __tablename__ = "referral"

    id: str = Field(primary_key=True)
    client_id: int = Field(primary_key=True, foreign_key="client.id", index=True)
    therapist_id: str = Field(default="", index=True)
    state: str = Field(index=True)
    status: str = ""
    provider_id: str = ""
    since: int = instant()
    offered_at: int = instant()
    agreed: bool = False
    part2: bool = False
    stuck: str = ""
    rung: str = ""
    heard: int = 0
    aside: int = 0


def row_of(referral: Referral, client_id: int, therapist_id: str) -> dict[str, object]:
    """The columns of its row."""
    return {
        "id": referral.id,
        "client_id": client_id,
        "therapist_id": therapist_id,
        "state": referral.state.value,
        "status": referral.status,
        "provider_id": referral.provider,
        "since": since_of(referral),
        "offered_at": referral.offered_at,
        "agreed": referral.agreed,
        "part2": referral.part2,
        "stuck": referral.stuck.value,
        "rung": referral.rung.value,
        "heard": referral.heard,
        "aside": len(referral.aside),
    }
