"""`check` says which lists of closing letters are empty."""


def test_an_empty_list_of_the_closing_letter_is_noted_and_a_full_one_is_not(tending, practice):
    said = "closing letters have brackets there"
    assert "[endings] crisis and referrals: nothing is listed" in " ".join(tending("check", "--offline").out.split())
    practice.write_text(practice.read_text() + '\n[endings]\ncrisis = ["Night line"]\nreferrals = ["Haus am See"]\n')
    assert said not in " ".join(tending("check", "--offline").out.split())
