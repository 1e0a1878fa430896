"""Whether every client has a therapist who can be reached, and what waits for people."""

from collections import Counter
from collections.abc import Iterator

from integrations.store import accounts, finding_rows, lookups, nobodys, providers, recipients
from integrations.store.people import names_of_therapists
from integrations.store.recipients import Recipients
from models.directory import stale_ones
from models.instants import day_of
from models.subjects import normal_form
from models.words import counted
from tending.check.lines import Level, Line, Place
from tending.output import some


def everybody(place: Place) -> Iterator[Line]:
    """Who has no therapist, which therapists and covers nobody knows or can reach, and entries of nobody."""
    practice = place.practice
    with practice.store.read() as connection:
        nobody = lookups.without_therapist(connection)
        loads, known = lookups.caseloads(connection), lookups.therapists(connection)
        count = nobodys.unmatched_count(connection)
        covers = recipients.unknown_covers(connection, day_of(place.voice.now, practice.zone))
        their = Recipients(practice, connection, place.voice.now)
        alone = sorted(one for one in loads.keys() & known.keys() if not _has_confirmer(place, their, one))
        nobody_known = not lookups.client_counts(connection) and lookups.anything_read(connection)
        names = Counter(normal_form(name) for name in names_of_therapists(connection, practice.vault).values())
    if nobody_known:
        yield Line(
            Level.mend,
            "people",
            "Sources were read, and no client is known: nobody is looked after. Export the list of clients too (clients.csv: "
            "docs/forms.md).",
        )
    if nobody:
        yield Line(
            Level.note,
            "people",
            f"{counted(len(nobody), 'client')} without a therapist: {some(nobody)}; what asks for them goes to the administrator.",
        )
    unknown = sorted(set(loads) - set(known))
    if twice := [one for one in unknown if names[normal_form(one)] > 1]:
        yield Line(
            Level.mend,
            "people",
            f"Several therapists bear the name that clients' rows give: {some(twice)}; write the therapist's id there.",
        )
    if nowhere := [one for one in unknown if one not in twice]:
        yield Line(
            Level.mend, "people", f"Therapists of clients who are in no therapists file: {some(nowhere)}; add them."
        )
    if covers:
        yield Line(
            Level.mend,
            "people",
            f"Named as cover for a leave, and in no therapists file: {some(covers)}; correct that leave, or add them: until then "
            "nobody covers, and supervisors or the administrator get what they would.",
        )
    reached = {c.therapist for c in practice.settings.channel}
    mute = [
        one
        for one, row in known.items()
        if loads.get(one) and one not in reached and not (row.sealed and practice.vault.open(row.sealed).get("email"))
    ]
    if mute:
        yield Line(
            Level.mend,
            "people",
            f"No mail address and no channel: {some(mute)}; add it to the therapists file, else the administrator gets their messages.",
        )
    if known and not (nobody or unknown or mute or covers):
        yield Line(Level.good, "people", "Every client in care has a therapist, and each of them can be reached.")
    if alone:
        yield Line(
            Level.note,
            "people",
            f"No supervisor: {some(alone)}; nobody could confirm an ending that they begin. Name one in the therapists file, "
            "or a peer in the policy (ending_confirmed_by_peer).",
        )
    if count.entries or count.rows:
        yield Line(
            Level.note,
            "people",
            f"{count.sentence()}: tending unmatched",
        )


def _has_confirmer(place: Place, recipients: Recipients, therapist: str) -> bool:
    """Whether anybody could confirm an ending that this therapist begins: a supervisor, or the policy's peer."""
    peer = place.practice.book.of(therapist=therapist).policy.ending_confirmed_by_peer
    return bool(recipients.supervisor(therapist)) or (peer not in ("", therapist) and recipients.knows(peer))


def still_to_sort(place: Place) -> Iterator[Line]:
    """Findings of the first day that nobody has sorted yet."""
    with place.practice.store.read() as connection:
        day_one = finding_rows.day_one_left(connection)
    if day_one:
        yield Line(
            Level.note,
            "findings",
            f"{counted(day_one, 'finding')} from the first day still to sort: tending findings --day-one",
        )


def directory(place: Place) -> Iterator[Line]:
    """Entries of the provider directory that nobody has checked for long."""
    practice = place.practice
    today, policy = day_of(place.voice.now, practice.zone), practice.book.of().policy
    with practice.store.read() as connection:
        known = providers.listed(connection)
    old = len(stale_ones(known, today, policy))
    if old:
        what, days = counted(old, "provider") + " of the directory", f"{policy.provider_verified_days:g}"
        yield Line(Level.note, "providers", f"Nobody has checked {what} for {days} days: tending providers --unchecked")


def desk(place: Place) -> Iterator[Line]:
    """Whether the desk can mail links, and whether anybody may use it."""
    part = place.practice.settings.desk
    if part is None:
        return
    with place.practice.store.read() as connection:
        users = [p for p in accounts.listed(connection, place.practice.vault) if p.disabled_at is None]
    if not part.public_url:
        yield Line(
            Level.mend, "desk", "[desk] has no public_url, so no links are mailed; set it, or use `tending users link`."
        )
    if not users:
        yield Line(Level.note, "desk", "Nobody may sign in to the desk yet: tending users add ROLE ADDRESS")
    elif part.public_url:
        yield Line(Level.good, "desk", f"{counted(len(users), 'account')} may sign in at {part.public_url}.")
