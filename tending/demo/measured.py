"""What the demonstration practice writes down besides appointments: goals and when they were looked at, session ratings, PHQ-9s."""

from datetime import date, datetime, timedelta
from random import Random

from models.instants import HOUR, at_wall
from tending.demo.diary import ATTENDED, MINUTES, ZONE, Meeting
from tending.demo.world import IMPROVING, MET, NEW_THERAPIST, WITHOUT_RECORDS, WORSENING, Goal, Person, Score, World

# Nobody said these. They are identity, and stand nowhere but in the clinic's own export.
TITLES = (
    "Row on the lake again before the leaves fall", "Ring my sister in Tromsø on her birthday",
    "Sleep until the baker opens his shutters", "Say no to the third night shift in a row",
    "Take the number 14 tram over the bridge", "Eat at one table with my stepfather",
    "Open the letters that lie in the blue box", "Sing in the choir at Whitsun",
    "Go past the school gate without turning back", "Leave the phone in the hall after ten",
    "Finish the dovecote with my son", "Sit through a whole film at the Regent",
    "Tell Marguerite what happened in August", "Swim to the far buoy and back",
    "Write the thesis chapter on lichens", "Let the neighbours hear me play the oboe",
    "Cook for four on a Sunday", "Walk to the allotment by myself",
    "Be angry with the foreman and stay in the room", "Keep the diary of headaches through one month",
    "Drive on the motorway as far as Kendal", "Spend a Saturday without counting",
)  # fmt: skip
REVIEW_WITHIN = (65, 61)  # days before the demonstration: sixty days after any of these lie in its week
SAFELY_LATELY = (45, 8)  # looked at so many days ago, nothing falls due in the week, however often somebody comes
FEW = 12  # appointments: of whoever has had fewer, the practice asks a rating from the first on
SHARE_RATED, SHARE_ASKED = 0.25, 0.2


def tell_measured(world: World, random: Random) -> None:
    """Add goals and scores to a practice whose people and appointments are complete.

    Who keeps no records writes no goals down. A few have none, and of a few a goal, a rating or an answer asks for something; for all
    others nothing falls due in the week that arrives.
    """
    for person in world.people:
        recorded = person.therapist != WITHOUT_RECORDS
        seen = [m for m in world.meetings_of(person) if recorded and m.outcome == ATTENDED]
        if seen and not _without_goal(person):
            _agree(world, person, seen, random)
        rates = person.part == "rates lower" or len(seen) < FEW or random.random() < SHARE_RATED
        if seen and rates:
            _rate(world, person, seen, random)
        _ask(world, person, random)


def _without_goal(person: Person) -> bool:
    return person.part == "has no goal" or (person.therapist, person.part) == (NEW_THERAPIST, "drifted")


# ---------------------------------------------------------------- goals


def _agree(world: World, person: Person, seen: list[Meeting], random: Random) -> None:
    """One goal or two, set in one of the first appointments and looked at since."""
    days = [m.start.date() for m in seen]
    set_on, looks = days[min(1, len(days) - 1)], _looks(world, person, days, random)
    looks = tuple(look for look in looks if look[0] > set_on)
    ahead = world.diary.day(random.randint(60, 200))
    for title in random.sample(TITLES, random.choice((1, 1, 1, 2))):
        given = tuple(name for name in ("target", "measure", "words") if random.random() < 0.6)
        target_on = ahead if random.random() < 0.3 and person.part != "review due" else None
        number = f"G-{501 + len(world.goals)}"
        world.goals.append(Goal(number, person.id, title, set_on, looks, given, target_on))


def _looks(world: World, person: Person, days: list[date], random: Random) -> tuple[tuple[date, str], ...]:
    """On which days client and therapist looked at the goals, and how far they were."""
    match person.part:
        case "review overdue":
            return ((world.diary.near(person.therapist, -115), IMPROVING),)
        case "review due":
            latest, earliest = REVIEW_WITHIN
            return ((world.diary.working_days(person.therapist, -latest, -earliest)[0], IMPROVING),)
        case "ended" | "has arrived":
            return ((days[-1] if person.part == "ended" else world.diary.near(person.therapist, -30), MET),)
    lately = [day for day in days if SAFELY_LATELY[0] >= (world.diary.today - day).days >= SAFELY_LATELY[1]]
    if lately:
        last = random.choice(lately)
    else:  # who stopped coming did so at their last appointment; who comes at long intervals, on the telephone
        comes = person.part in ("goes on", "couple")
        last = world.diary.near(person.therapist, -30) if comes else days[-1]
    if person.part == "gets worse":
        return ((last, WORSENING),)
    earlier = [(day, "in progress") for day in days if day <= last - timedelta(days=50)][-1:]
    return (*earlier, (last, random.choice((IMPROVING, "in progress", "no change"))))


# ---------------------------------------------------------------- scores


def _rate(world: World, person: Person, seen: list[Meeting], random: Random) -> None:
    """Session ratings, every third time: near the client's own level, but for whoever rates lower this week."""
    level = random.choice((36.8, 37.4, 38.2, 38.9))
    chosen = seen[::3]
    if person.part == "rates lower":
        level, chosen = 38.2, seen[:-1][-9:]
    for meeting in chosen:
        _score(world, person, "SRS", _after(meeting), round(level + random.uniform(-0.4, 0.4), 1))
    if person.part == "rates lower":
        _score(world, person, "SRS", _after(seen[-1]), 36.3)


def _after(meeting: Meeting) -> datetime:
    return meeting.start + timedelta(minutes=MINUTES)


def _ask(world: World, person: Person, random: Random) -> None:
    """PHQ-9s filled in at home, every seven weeks. None reaches the healthy range: three times there ask whether to move on."""
    at = world.diary.at
    match person.part:
        case "asks for safety":
            asked = [(-100, 0), (-51, 0), (-2, 1)]
        case "asked for safety":
            asked = [(-93, 0), (-44, 1)]
        case "goes on" if random.random() < SHARE_ASKED:
            asked = [
                (n, int(n < -180 and random.random() < 0.3)) for n in range(random.randint(-60, -11) - 147, -10, 49)
            ]
        case _:
            return
    total = random.randint(15, 19)
    for offset, risk in asked:
        if person.intake_on is not None and world.diary.day(offset) > person.intake_on:
            _score(world, person, "PHQ-9", at(world.diary.day(offset), 8), total, risk)
            total = max(10, total - random.randint(0, 2))


def _score(world: World, person: Person, measure: str, taken: datetime, value: float, risk: int | None = None) -> None:
    told_at = at_wall(taken, ZONE) + HOUR
    number = f"S-{3001 + len(world.scores)}"
    world.scores.append(Score(number, person.id, measure, taken, value, told_at, risk))
