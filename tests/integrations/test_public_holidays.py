"""Public holidays by country and part, and what is said where none are known."""

from datetime import date

import pytest

from integrations.public_holidays import public_holidays
from models.errors import SettingsError


@pytest.mark.parametrize(
    ("region", "day", "free"),
    [
        ("DE", date(2026, 10, 3), True),
        ("DE", date(2026, 3, 8), False),
        ("DE-BE", date(2026, 3, 8), True),  # Women's Day in Berlin alone
        ("DE-BY", date(2026, 1, 6), True),
        ("DE-BE", date(2026, 1, 6), False),
        ("US", date(2026, 11, 26), True),  # Thanksgiving
        ("US", date(2026, 12, 26), False),
        ("DE", date(2026, 12, 26), True),
        ("", date(2026, 12, 25), False),
    ],
)
def test_days(region, day, free):
    assert (day in public_holidays(region, 2025, 2027)) == free


def test_both_years_are_included():
    assert {day.year for day in public_holidays("DE", 2025, 2027)} == {2025, 2026, 2027}


@pytest.mark.parametrize("region", ["XX", "DE-XX", "Atlantis", "-", "DE-BE-X"])
def test_an_unknown_region_names_the_setting_and_the_remedy(region):
    with pytest.raises(SettingsError, match=r"\[practice\] holidays"):
        public_holidays(region, 2026, 2026)
