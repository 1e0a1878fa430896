"""What the demonstration says of care that ends: the ending with its appointments, and the referral with its second question."""

from collections.abc import Sequence

from integrations import ending_schedule
from integrations.messages.mailbox import Mail
from integrations.practice import Practice
from integrations.store import lookups, referrals
from models.ending_schedule import ROLE_WORDS, How
from models.ending_steps import REASON_WORDS
from models.instants import Instant
from models.referral_shape import ACCEPTED, State
from models.referral_words import next_step
from models.referral_words import stands as said_of
from models.voice import Voice
from models.words import counted
from tending.demo.names import NAMES, SUPERVISORS
from tending.demo.said import REFERENCE, code_of
from tending.demo.world import ENDS, REFERRED, World
from tending.output import columns, moment, say


def codes(practice: Practice, world: World, now: Instant) -> tuple[str, str]:
    """Whose care is being ended, and who was referred on."""
    (ends,), (referred,) = world.playing(ENDS), world.playing(REFERRED)
    return code_of(practice, ends, now), code_of(practice, referred, now)


def is_invitation(mail: Mail) -> bool:
    """Whether a calendar would take it in."""
    return any(part.get_content_type() == "text/calendar" for part in mail.parsed.walk())


def tell_of_endings(practice: Practice, world: World, mails: Sequence[Mail], voice: Voice) -> None:
    """How both stand as of the voice's now, and which mails tell of it."""
    ends, referred = codes(practice, world, voice.now)
    _ending(practice, world, ends, mails, voice)
    _referral(practice, world, referred, mails, voice)


def _referral(practice: Practice, world: World, referred: str, mails: Sequence[Mail], voice: Voice) -> None:
    """As the story has it; where somebody has said more since, as it stands."""
    with practice.store.read() as connection:
        who = lookups.about(connection, referred)
        found = referrals.of_client(connection, who.id) if who else []
    stands = next((one for one in found if one.id == REFERENCE), None)
    if stands is not None and (stands.state is not State.self_arranged or stands.heard != ACCEPTED):
        say(f"  {referred}: care here has ended. The referral: {said_of(stands, voice)} {next_step(stands)}".rstrip())
        return
    therapist = world.playing(REFERRED)[0].therapist
    say(
        f"  {referred}: care here has ended. Of three places that were offered the client called one, and was accepted."
    )
    asked = _told_in(mails, f"Referral: how is it going? {referred}")
    say(f"    Whether a first visit is booked, the second question, is asked of {NAMES[therapist]}{asked}.")


def _ending(practice: Practice, world: World, code: str, mails: Sequence[Mail], voice: Voice) -> None:
    therapist = world.playing(ENDS)[0].therapist
    with practice.store.read() as connection:
        who = lookups.about(connection, code)
        found = ending_schedule.planned_for(practice, connection, who.id, voice.now) if who else None
    if found is None:
        return
    stands, lines = found.stands, found.schedule.lines
    say(f"  {code}: {NAMES[therapist]} began an ending ({REASON_WORDS[stands.reason]}) {voice.day(stands.started_at)};")
    say(f"    {NAMES[SUPERVISORS[therapist]]} confirmed it {voice.day(stands.moved_at)}.")
    proposed = [line for line in lines if line.how is not How.stands]
    stood = len(lines) - len(proposed)
    say(f"    Of {counted(len(lines), 'appointment')} that it takes, {stood} stood already; each has its part.")
    invited = _told_in([mail for mail in mails if is_invitation(mail)], code)
    columns(
        [
            (moment(voice, line.start), ROLE_WORDS[line.role], f"invited{invited}" if line in proposed else "stands")
            for line in lines
        ],
        indent=4,
    )
    say("    The client is invited to nothing that a person has not approved.")


def _told_in(mails: Sequence[Mail], words: str) -> str:
    """The file of the last mail that holds these words, as it stands in a sentence."""
    named = [mail.path.name for mail in mails if words in mail.text]
    return f" in {named[-1]}" if named else ""
