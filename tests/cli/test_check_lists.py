"""`check` says which lists of closing letters are empty, and that somebody has to tell of appointments."""

from models.instants import HOUR
from tending.check import checks
from tending.check.lines import Level
from tests.builders import NOW, days_ago


def test_an_empty_list_of_the_closing_letter_is_noted_and_a_full_one_is_not(tending, practice):
    said = "closing letters have brackets there"
    assert "[endings] crisis and referrals: nothing is listed" in " ".join(tending("check", "--offline").out.split())
    practice.write_text(practice.read_text() + '\n[endings]\ncrisis = ["Night line"]\nreferrals = ["Haus am See"]\n')
    assert said not in " ".join(tending("check", "--offline").out.split())


def test_where_no_source_tells_of_appointments_that_is_to_be_mended(a_clinic):
    clinic = a_clinic(calendars=())
    clinic.client("1001")
    clinic.sync()
    said = "None has told of any appointment yet"
    assert [line.level for line in checks(clinic.folder / "practice.toml", NOW) if said in line.sentence] == [
        Level.mend
    ]
    clinic.seen("1001", days_ago(3))
    clinic.sync(NOW + HOUR)
    assert not any(said in line.sentence for line in checks(clinic.folder / "practice.toml", NOW + HOUR))
