"""Public holidays where the customer lives, and the region of a postal code."""

from datetime import date
from functools import lru_cache
from typing import Literal

import holidays

from kulanz.kernel.errors import InputError
from kulanz.law.figures.contact import HolidayRule
from kulanz.law.packs import Pack, jurisdictions, load

_ISO_COUNTRY = {"UK": "GB"}


def is_public_holiday(pack: Pack, day: date, region: str | None) -> bool:
    """Whether `day` is a holiday in the customer's region, an ISO 3166-2 code such as "DE-BE".

    A country alone ("DE") or None means that the region is unknown: then a holiday in any region counts, or
    only national ones where the pack says so. Where another country is named, its holidays count. Raises
    InputError for a region that does not exist.
    """
    country, subdivision = _split(pack, region)
    rule = pack.holidays
    if country != rule.country:
        rule = HolidayRule(country, ("public",), "any", rule.source, rule.verified)
    return day in _holidays(rule.country, subdivision, rule.region_unknown, rule.categories, day.year)


def region_of_postal_code(country: str, postal_code: str) -> str | None:
    """The region ("BE" for Berlin) of a postal code, without the country; None where it is not certain.

    None also for a country without a table and for places with a holiday of their own (Augsburg): for these
    the strict rule for unknown regions holds.
    """
    digits, region_of = _postal_table(country.upper())
    code = postal_code.strip()
    if len(code) != digits or not (code.isascii() and code.isdigit()):
        return None
    return region_of.get(code[:3]) or region_of.get(code[:2])


@lru_cache(maxsize=64)
def _postal_table(country: str) -> tuple[int, dict[str, str]]:
    """The digits of a postal code and the region of each certain prefix; nothing where there is no table."""
    tables = load(country).postal_regions if country in jurisdictions() else ()
    return (tables[-1].digits, dict(tables[-1].prefixes)) if tables else (0, {})


def _split(pack: Pack, region: str | None) -> tuple[str, str | None]:
    if region is None:
        return pack.holidays.country, None
    country, _, subdivision = region.partition("-")
    country = country.upper()
    return _ISO_COUNTRY.get(country, country), subdivision or None


@lru_cache(maxsize=512)
def _holidays(
    country: str,
    subdivision: str | None,
    unknown: Literal["any", "national"],
    categories: tuple[str, ...],
    year: int,
) -> frozenset[date]:
    try:
        calendar = holidays.country_holidays(country, subdiv=subdivision, years=year, categories=categories)
    except NotImplementedError as error:
        where = country if subdivision is None else f"{country}-{subdivision}"
        raise InputError(
            f"There is no holiday calendar for {where!r}; use a region such as 'DE-BE'."
        ) from error
    days = frozenset(calendar)
    if subdivision is not None or unknown == "national":
        return days
    return days.union(
        *(_holidays(country, each, unknown, categories, year) for each in calendar.subdivisions)
    )
