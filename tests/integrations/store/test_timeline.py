"""The timeline as the store has it: what became of one client in a real practice, in as many queries however much it is."""

from datetime import date

import pytest
from sqlalchemy import event

from integrations import answering
from integrations.looks import look_after
from integrations.messages.mailbox import Mailbox
from integrations.store import accounts, acts, audit, timeline
from integrations.store.rebuild import rebuild
from integrations.store.tables import insert_rows
from models.accounts import Role
from models.answers import Reply, answer
from models.audit import Audit
from models.ending_acts import Act as EndingAct
from models.ending_acts import What
from models.errors import UsageError
from models.instants import DAY, HOUR
from models.observations import Observation
from models.people import Client, Relation
from models.referral_acts import ReferralAct, facts_of
from models.referral_acts import What as ReferralWhat
from tests.builders import NOW, days_ago, each, in_days
from tests.faults.canary import Search

NAMES = ("Þórunn Ğüngör-Świątek", "Zoë Kärcherström", "Bünyamin Ağaoğlu", "Þorgerður Ångström", "Fríða Vordermayer")
GOAL, NOTE = "Wieder allein über die Brücke gehen", "Ğüngör ruft am Dienstag an"
LATER = NOW + HOUR


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        yield mailbox


@pytest.fixture
def lived(a_clinic, mailbox):
    """A practice in which something of everything has happened to one client, who then left."""
    clinic = a_clinic(port=mailbox.port, policy='speak = "at_once"')
    clinic.therapists.clear()
    clinic.therapist("T1", name=NAMES[1], supervisor="T3")
    clinic.therapist("T2", name=NAMES[2])
    clinic.therapist("T3", name=NAMES[3])
    clinic.client("1001", NAMES[0], intake="2026-08-03")
    clinic.client("1002", "Somebody Else")
    clinic.seen("1001", *each(7, 6, days_ago(13.99)))
    clinic.seen("1002", *each(7, 6, days_ago(1)))
    clinic.goal("1001", GOAL, set="2026-08-10", achievement="achieved")
    clinic.score("1001", "PHQ-9", days_ago(20), 14)
    clinic.sync()
    clinic.look()
    clinic.arm()
    practice, client = clinic.practice, clinic.id_of("1001")
    assert look_after(practice, LATER, "test").delivered.sent == 1
    with practice.store.write() as connection:
        number = accounts.add(
            connection, practice.vault, Role.front_office, NAMES[4], "f@example.org", "", "root", LATER
        )
        by = f"account:{number}"
        back = answering.say(practice, connection, client, answer("quiet", Reply.done, LATER), by, LATER)
        answering.unsay(practice, connection, back, by, LATER + 30)
        said = answer("quiet", Reply.agreed, LATER + 60, until=in_days(4))
        answering.say(practice, connection, client, said, "therapist:T1", LATER + 60, note=NOTE)
        secret = {"letter": f"Liebe Frau {NAMES[0]}", "provider": NAMES[3]}
        me = "therapist:T1"
        begun = EndingAct("e1", What.started, LATER + 100, me, reason="goals", wished_by="client", personal="no")
        done = EndingAct("e1", What.done, LATER + 101, me, step="letter")
        offered = ReferralAct("R-1", ReferralWhat.offered, LATER + 102, "somebody", providers=("P1", "P2", "P3"))
        chosen = offered._replace(what=ReferralWhat.chosen, provider="P1")
        said_of = [("ending", begun.facts()), ("ending", done.facts())]
        said_of += [("referral", facts_of(offered)), ("referral", facts_of(chosen))]
        for n, (kind, facts) in enumerate(said_of):
            acts.record(practice, connection, client, kind, facts, LATER + 100 + n, secret=secret)
    clinic.clients[0] |= {"therapist": "T2", "status": "ended", "ended": "2026-11-24"}
    clinic.sync(NOW + 2 * DAY)
    clinic.look(NOW + 2 * DAY)
    return clinic


def code_of(clinic, number="1001"):
    return clinic.rows(Client, id=clinic.id_of(number))[0].code


def page(clinic, now=NOW + 3 * DAY, *, redacted=False, since=None, reads=False, number="1001"):
    return timeline.page(
        clinic.practice, code_of(clinic, number), "root", now, redacted=redacted, since=since, reads=reads
    )


def written(sheet):
    return "\n".join(
        [sheet.title, *map(": ".join, sheet.head), *(f"{w}  {p}  {t}" for _, w, p, t in sheet.lines), *sheet.foot]
    )


def test_it_tells_what_happened_in_order(lived):
    sheet = page(lived)
    assert sheet.head[:3] == (
        ("Practice", "Northside"),
        ("Client", f"{code_of(lived)}, {NAMES[0]}"),
        ("Care", "ended on Tue 24 Nov 2026, as the records say"),
    )
    said = [(part, text) for _, _, part, text in sheet.lines]
    me = f"{NAMES[1]} (T1)"
    in_order = [
        ("Care", "Came to the practice."),
        ("Therapist", f"In the care of {me}."),
        ("Goals", "Goal 1: set."),
        ("Scores", "PHQ-9 14."),
        ("Appointments", "Attended."),
        ("Message", f"To {me}: Quiet."),
        ("Answer", f"Quiet: We agreed on the next contact: Fri 27 Nov, in 4 days. By {me}."),
        ("Ending", f"Ending begun: the goals are met, the client's wish. By {me}."),
        ("Ending", f"Step done: closing letter. By {me}."),
        ("Referral", "The client chose: provider P1. By somebody."),
        ("Care", "Care ended, as the records say."),
        ("Therapist", f"From {me} to {NAMES[2]} (T2)."),
    ]
    places = [max(n for n, one in enumerate(said) if one == wanted) for wanted in in_order if wanted in said]
    assert [wanted for wanted in in_order if wanted not in said] == []
    assert places == sorted(places)
    (quiet,) = [text for part, text in said if part == "Noticed" and text.startswith("Quiet")]
    assert quiet == "Quiet; no longer so on Mon 23 Nov 2026."
    (back,) = [text for _, text in said if "Taken back" in text]
    assert back == f"Quiet: I have seen to it. By {NAMES[4]} (the front office). Taken back on Mon 23 Nov 2026."
    assert [line.at for line in sheet.lines] == sorted(line.at for line in sheet.lines)


def test_goal_texts_notes_and_letters_stand_on_no_page(lived):
    for redacted in (False, True):
        found = Search([GOAL, NOTE, "Liebe Frau"]).found(written(page(lived, redacted=redacted)).encode())
        # The client's own name stands on the plain page, and in the note.
        assert [one for one in found if redacted or not one.startswith("Ğüngör (")] == []


def test_redacted_it_holds_nobodys_name_and_no_login(lived):
    text = written(page(lived, redacted=True, reads=True))
    assert Search([*NAMES, "f@example.org"]).found(text.encode()) == []
    assert "Northside" not in text
    assert "root" not in text
    assert "By therapist 1." in text
    assert "From therapist 1 to therapist 2." in text
    assert "By the front office. Taken back" in text
    assert code_of(lived) in text


def test_plain_and_redacted_hold_the_same_lines_but_for_people(lived):
    plain, redacted = page(lived), page(lived, redacted=True)
    assert [line[:3] for line in plain.lines] == [line[:3] for line in redacted.lines]


def test_nothing_of_anybody_else_stands_on_it(lived):
    other = page(lived, number="1002")
    assert {line.part for line in other.lines} <= {"Therapist", "Appointments", "Noticed"}


def test_each_look_is_recorded_and_the_head_goes_through_it(lived):
    sheet = page(lived, redacted=True)
    last = lived.rows(Audit)[-1]
    assert (last.who, last.act, last.subject, last.details) == (
        "root",
        "timeline read",
        code_of(lived),
        {"redacted": True},
    )
    head = f"{last.place}:{last.seal[:32]}"
    assert any(head in sentence for sentence in sheet.foot)
    assert audit.verify(lived.practice.store, head).whole
    assert "Timeline read, by root." not in written(page(lived))
    assert "Timeline read, by root." in written(page(lived, reads=True))


@pytest.mark.parametrize("later", [DAY, 2 * 366 * DAY, 6 * 366 * DAY])
def test_a_former_clients_page_stays_as_it_is(lived, later):
    then, now = (page(lived, NOW + 3 * DAY + more, redacted=True) for more in (0, later))
    assert (now.head, now.lines) == (then.head, then.lines)


def test_a_rebuilt_practice_has_the_same_page(lived):
    before = page(lived)
    rebuild(lived.practice, NOW + 3 * DAY, dry_run=False)
    assert page(lived).lines == before.lines


def test_from_a_day_on_nothing_before_it_stands_there(lived):
    sheet = page(lived, since=date(2026, 11, 23))
    assert sheet.lines
    assert all(line.at >= NOW - DAY for line in sheet.lines)


def test_the_number_of_queries_does_not_depend_on_how_much_there_is(lived):
    def count():
        seen = []
        store = lived.practice.store

        def note(_, __, statement, *___):
            seen.append(statement)

        for engine in (store.engine, store._reader):
            event.listen(engine, "before_cursor_execute", note)
        try:
            sheet = page_of(code)
        finally:
            for engine in (store.engine, store._reader):
                event.remove(engine, "before_cursor_execute", note)
        return len(seen), len(sheet.lines)

    def page_of(code):
        return timeline.page(lived.practice, code, "root", NOW + 3 * DAY, redacted=False, since=None, reads=False)

    code = code_of(lived)
    few, few_lines = count()
    client = lived.id_of("1001")
    with lived.practice.store.write() as connection:
        for n in range(60):
            at = NOW + 2 * DAY + n
            act = ReferralAct(f"R-{n + 2}", ReferralWhat.offered, at, "somebody", providers=("P1", "P2", "P3"))
            acts.record(lived.practice, connection, client, "referral", facts_of(act), at)
        rows = [
            {"client_id": client, "therapist_id": f"X{n}", "kind": "co", "from_on": date(2026, 8, 3)} for n in range(40)
        ]
        insert_rows(connection, Relation, [{**row, "to_on": None} for row in rows])
    audit.seal_all(lived.practice.store)
    many, many_lines = count()
    assert many_lines >= few_lines + 100
    assert many == few <= 25
    assert len(lived.rows(Observation, kind="referral")) == 62


def test_a_code_of_nobody_is_one_sentence(lived):
    with pytest.raises(UsageError, match="No client has the code C-0000000"):
        timeline.page(lived.practice, "C-0000000", "root", NOW, redacted=True, since=None, reads=False)
