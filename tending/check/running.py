"""Whether messages may leave and get through, whether the practice runs, and whether its audit is whole."""

import os
from collections.abc import Iterator

from integrations.store import arming, audit, facts, lookups
from integrations.store.overview import last_runs
from models.errors import TendingError
from models.instants import DAY
from models.notices import MessageState
from models.words import counted
from tending.check.lines import Level, Line, Place
from tending.output import moment

NIGHTS = 2 * DAY  # a nightly comparison older than this did not happen


def sending(place: Place) -> Iterator[Line]:
    """Whether this installation may send."""
    state = arming.state(place.practice.store, place.practice.data)
    if state is arming.Arming.armed:
        yield Line(Level.good, "sending", "Armed: this installation sends.")
    elif state is arming.Arming.copy:
        yield Line(
            Level.mend, "sending", "Not armed: this is a copy of a practice that was armed elsewhere; see: tending arm"
        )
    else:
        yield Line(Level.mend, "sending", "Not armed: nothing is sent. When all else is well, run: tending arm")


def messages(place: Place) -> Iterator[Line]:
    """Messages that did not get through, and whether each channel answers."""
    practice = place.practice
    with practice.store.read() as connection:
        states = lookups.message_counts(connection, place.voice.now)
    for state, words in (
        (MessageState.unsure, "nobody knows whether it arrived"),
        (MessageState.failed, "it was refused for good"),
    ):
        if n := states.get(state, 0):
            yield Line(Level.mend, "messages", f"Of {counted(n, 'message')} {words}: tending outbox")
    if practice.settings.mail is None and not practice.settings.channel:
        return
    # Only here: Apprise takes longer to import than other commands take to run.
    from integrations.delivery import PostRoom, channels_of
    from integrations.messages.channels import check

    post = PostRoom(practice)
    for name in channels_of(practice):
        try:
            channel = post.channel(name)
            said = check(channel) if not place.offline else f"Channel {name}: its settings are understood."
        except TendingError as error:
            yield Line(Level.mend, "messages", str(error))
            continue
        yield Line(Level.good, "messages", said)
    mail = practice.settings.mail
    if mail is not None and mail.user and not os.environ.get(mail.password_env):
        yield Line(
            Level.mend,
            "messages",
            f"[mail] has a user, but the environment variable {mail.password_env} is not set; set it.",
        )


def protocol(place: Place) -> Iterator[Line]:
    """Whether what asks for safety would go out with the practice's own protocol."""
    if place.practice.settings.safety.protocol:
        yield Line(Level.good, "safety", "Safety notices carry the practice's protocol: tending messages preview item9")
        return
    with place.practice.store.read() as connection:
        scored = facts.get(connection, f"{facts.TELLS}score") is not None
    missing = (
        "[safety] protocol is not set, so safety notices would say nothing of what your practice does then; set it."
    )
    settings = place.practice.settings
    told = settings.mail is not None or bool(settings.channel)  # there are people to whom such a notice would go
    yield Line(Level.mend if scored or told else Level.note, "safety", missing)


def phone(place: Place) -> Iterator[Line]:
    """Whether a client who is invited reads whom to call where the time does not suit them."""
    settings = place.practice.settings
    if settings.mail is not None and not settings.invitations.phone:
        said = "[invitations] phone is not set, so a client's invitation names no number to call; set it if you invite clients."
        yield Line(Level.note, "invitations", said)


def what_runs(place: Place) -> Iterator[Line]:
    """What runs by itself, and what watches it from outside."""
    voice = place.voice
    with place.practice.store.read() as connection:
        held, runs = lookups.leases(connection), last_runs(connection)
    if "up" in held and held["up"].until > voice.now:
        yield Line(Level.good, "running", "`tending up` runs.")
    else:
        yield Line(Level.note, "running", "`tending up` does not run: nothing is read or sent by itself.")
    night = runs.get("nightly_check")
    if night is not None:
        level = Level.good if voice.now - night["at"] < NIGHTS else Level.mend
        yield Line(level, "running", f"Last nightly comparison {moment(voice, night['at'])}: {night['said']}.")
    if os.environ.get("PREFECT_API_URL"):
        yield Line(Level.note, "running", "PREFECT_API_URL is set: `tending up` uses that server and starts none.")
    watchdog = place.practice.settings.watchdog.url_env
    if not os.environ.get(watchdog):
        yield Line(
            Level.note,
            "running",
            f"{watchdog} is not set here: nobody outside hears when this machine is off; see docs/settings.md.",
        )


def acts(place: Place) -> Iterator[Line]:
    """Whether the audit was cut or rewritten."""
    state = audit.verify(place.practice.store)
    if state.broken_at is not None:
        yield Line(
            Level.mend,
            "audit",
            f"The chain does not hold from place {state.broken_at} on: somebody changed the audit; keep the database and ask for help.",
        )
    else:
        yield Line(
            Level.good,
            "audit",
            f"The chain of {counted(state.length, 'act')} is whole; {state.waiting} wait to be sealed.",
        )
