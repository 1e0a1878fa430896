"""The page about endings, rendered from the table of reasons and steps."""

from models.ending_acts import QUESTION
from models.ending_steps import REASON_WORDS, STEP_WORDS, Reason, Step, asked, need_of

_ENDINGS = f"""\
# Endings
Care is ended by people: `tending end CLIENT --reason WORD` begins it, `tending ending CLIENT` shows where it stands and takes
in what was done. Every start asks: *{QUESTION}*
Without an answer nothing begins; a yes stops it, is recorded, and offers supervision. What a therapist begins waits for
the supervisor named in the therapists file, or for the peer of the policy (`ending_confirmed_by_peer`), and never for whoever
began it; the same question is asked again there. Their word is given at the desk, signed in as themselves, or by the link of the
mail; at a terminal nobody gives it in their place.

A required step is done, or could not be done for a listed reason, by a named person; an ending cannot be closed while one is
open. What is offered may be left open. For a client marked as one who finds rejection hard (`--careful`) there is more room.
Room to process is done once as many appointments took place as it needs, the last appointment once there was one more than those
(one, where there could be no room). Where the goals are met, `done referral` can say
what the client goes on to (`--reason another-therapist`, `--reason step-down`).
Once the record says that a client has died, or somebody says so here (as the reason, or as why a step could not be done), only the
records are left, and nothing goes to the client any more; said by mistake, `withdraw` takes it back, also of a closed ending.
Of attempts to reach a client those count that were made after the last contact and far enough apart (`ending_attempt_days`); what
anybody but a therapist noted (`tending ending CLIENT attempt`) waits for the therapist's yes on the client's page at the desk.
Nothing here is sent to a client: letters are drafts.

An ending that asks for appointments gives their parts first to those that stand: the first explains, those after it give room,
the last one closes. Times for what is lacking, in the client's rhythm and at their weekday and hour, are proposed to the
therapist by mail, once, by the daily look at endings; after that, and always for clients who find rejection hard, only by a
person: `tending ending CLIENT schedule` shows them, `--yes` proposes them. What nobody accepted for days
(`ending_proposal_days`), what is not free any more and what the therapist declined or took out can be proposed anew. An entry
that a calendar program made by itself stands for nothing until the therapist accepts it. The client hears of an
appointment when their therapist (or who covers) approves the message, once the therapist's calendar shows it as accepted: the client's
page at the desk leads to each message as it would leave, and to a yes for exactly that. At a terminal (`--tell-client`) somebody says,
under their own name, that the therapist has approved it. When an ending is withdrawn or closed, or the client has died, what it proposed
is called off in the therapist's calendar, with a sentence on what the client knows of it; what the client was told is theirs to hear from
a person. What else still stands is asked about after the last appointment, and where the ending closes: keep or call off.

What leads to the table: counselling before the end and alternatives, unless the client precludes it or a therapist is
threatened (APA 2017, 10.10, summary seen); no abandonment, help with a referral (AAMFT 2015 1.9 to 1.11, seen; ACA 2014 A.11
and A.12, from memory); reason, time to respond, referrals, a summary and a plan for afterwards (LA County DMH 312.01, seen);
three or more referrals with address and telephone in the letter (Bernstein and Hartsell, second-hand). How many appointments
give room no code says: that is our choice, and policy.
"""


def endings_page() -> str:
    """All of docs/endings.md: which step which reason asks for, and what is asked of the therapist."""
    parts = [_ENDINGS, f"| | {' | '.join(STEP_WORDS.values())} |", "|---|" + "---|" * len(Step)]
    parts += [
        f"| `{reason}`: {REASON_WORDS[reason]} | {' | '.join(need_of(reason, step).value for step in Step)} |"
        for reason in Reason
    ]
    parts.append("\n## What each step asks of the therapist\n")
    for reason in Reason:
        words = REASON_WORDS[reason]
        parts.append(f"### {words[:1].upper()}{words[1:]}\n")
        parts += [f"- {STEP_WORDS[step]} (`{step}`): {asked(reason, step)}" for step in Step if asked(reason, step)]
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"
