"""Public holidays of a country or one of its parts, by the `holidays` library."""

from datetime import date
from functools import lru_cache

import holidays

from models.errors import SettingsError


@lru_cache(maxsize=64)
def public_holidays(region: str, first_year: int, last_year: int) -> frozenset[date]:
    """The public holidays of a region such as DE or DE-BE, both years included; none for an empty region. Raises SettingsError."""
    if not region:
        return frozenset()
    country, _, part = region.partition("-")
    try:
        found = holidays.country_holidays(country, subdiv=part or None, years=range(first_year, last_year + 1))
    except (NotImplementedError, KeyError):
        raise SettingsError(
            "[practice] holidays: no public holidays are known for this region; write a country code such as DE or US,"
            " with a part such as DE-BE, or leave it empty."
        ) from None
    return frozenset(found)
