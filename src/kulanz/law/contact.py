"""When a customer may be contacted: hours, Sundays, holidays and caps, for whole blocks and for one instant.

A slot is a weekday and a band of hours; its index is `weekday * len(bands) + band` with 0 = Monday. With six
bands there are 42. Instants are epoch seconds (UTC), `numpy.int64`. Code arrays are `int8`: 0 = allowed, else
`VetoCode.number`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from kulanz.kernel.errors import InputError
from kulanz.law.packs import Pack
from kulanz.law.regions import is_public_holiday, region_of_postal_code
from kulanz.law.vetoes import Veto, VetoCode, sentence

__all__ = [
    "SlotHours",
    "Veto",
    "VetoCode",
    "call_ok",
    "cap_code",
    "cap_ok",
    "cap_veto",
    "may_send",
    "region_of_postal_code",
    "sentence",
    "slot_hours_ok",
    "slot_starts",
]

HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True)
class SlotHours:
    """`ok` bool[m] and `code` int8[m] (0 where ok), one entry per slot."""

    ok: NDArray[np.bool_]
    code: NDArray[np.int8]


def slot_starts(now: datetime, timezone: str, bands: tuple[tuple[int, int], ...]) -> NDArray[np.int64]:
    """The next start of each (weekday, band) slot strictly after `now`, int64[7 * len(bands)] epoch seconds.

    Bands are local hours [start, end). Where the clocks go forward, a start that does not exist is the hour
    after; where they go back, the first of the two. Raises InputError for a naive `now`, an unknown time
    zone or a band outside 0..24.
    """
    zone = _zone(timezone)
    if now.tzinfo is None:
        raise InputError("Slots need an instant with a time zone.")
    if any(not 0 <= start < end <= 24 for start, end in bands):
        raise InputError("A band is a pair of hours (start, end) with 0 <= start < end <= 24.")
    today = now.astimezone(zone).date()
    after = now.timestamp()
    starts = [_next_start(today, weekday, start, zone, after) for weekday in range(7) for start, _ in bands]
    return np.array(starts, dtype=np.int64)


def _next_start(today: date, weekday: int, hour: int, zone: ZoneInfo, after: float) -> int:
    day = today + timedelta(days=(weekday - today.weekday()) % 7)
    epoch = _epoch(day, hour, zone)
    return epoch if epoch > after else _epoch(day + timedelta(days=7), hour, zone)


def _epoch(day: date, hour: int, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=zone).timestamp())


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(f"{timezone!r} is no time zone; use a name such as 'Europe/Berlin'.") from error


def slot_hours_ok(
    pack: Pack, starts: NDArray[np.int64], timezone: str, region: str | None = None
) -> SlotHours:
    """Which slot starts lie in the contact hours at the customer's place.

    `region` as in `regions.is_public_holiday`. Codes: sunday, public_holiday, outside_hours. Raises NoRate
    where the pack has no rule for a slot's day.
    """
    zone = _zone(timezone)
    vetoes = [_hours_veto(pack, datetime.fromtimestamp(int(start), zone), region) for start in starts]
    code = np.array([0 if veto is None else veto.number for veto in vetoes], dtype=np.int8)
    return SlotHours(ok=code == 0, code=code)


def may_send(pack: Pack, at: datetime, timezone: str, region: str | None = None) -> Veto | None:
    """The hours rule for one instant, as the sending transaction asks it; None where sending is allowed."""
    if at.tzinfo is None:
        raise InputError("Sending needs an instant with a time zone.")
    local = at.astimezone(_zone(timezone))
    code = _hours_veto(pack, local, region)
    if code is None:
        return None
    outside = code is VetoCode.OUTSIDE_HOURS
    return Veto(code, pack.contact_on(local.date()).source if outside else pack.holidays.source)


def _hours_veto(pack: Pack, local: datetime, region: str | None) -> VetoCode | None:
    rule = pack.contact_on(local.date())
    weekday = local.weekday()
    if weekday == 6 and rule.sunday is None:
        return VetoCode.SUNDAY
    if is_public_holiday(pack, local.date(), region):
        return VetoCode.PUBLIC_HOLIDAY
    window = rule.window(weekday)
    if window is None or not window[0] <= local.hour < window[1]:
        return VetoCode.OUTSIDE_HOURS
    return None


def cap_ok(
    pack: Pack,
    last_contact_epoch: NDArray[np.int64],
    contacts_7d: NDArray[np.int16],
    starts: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Which slots the frequency caps allow, bool[n, m].

    `last_contact_epoch` int64[n]: the customer's last contact over all channels, 0 for never. `contacts_7d`
    int16[n]: contacts in the 7 days up to now; all slots of a customer at the cap are vetoed, also those that
    start after the oldest of them has left the window (strict; the next run sees it gone).
    """
    newest_allowed, per_7_days = _caps(pack, starts)
    ok: NDArray[np.bool_] = last_contact_epoch[:, None] <= newest_allowed[None, :]
    ok &= contacts_7d[:, None] < per_7_days[None, :]
    return ok


def cap_code(
    pack: Pack,
    last_contact_epoch: NDArray[np.int64],
    contacts_7d: NDArray[np.int16],
    starts: NDArray[np.int64],
) -> NDArray[np.int8]:
    """The reasons behind `cap_ok`, int8[n, m]: too_many before too_soon, 0 where allowed."""
    newest_allowed, per_7_days = _caps(pack, starts)
    code = np.zeros((len(last_contact_epoch), len(starts)), dtype=np.int8)
    code[last_contact_epoch[:, None] > newest_allowed[None, :]] = VetoCode.TOO_SOON.number
    code[contacts_7d[:, None] >= per_7_days[None, :]] = VetoCode.TOO_MANY.number
    return code


def cap_veto(pack: Pack, last_contact: datetime | None, contacts_7d: int, at: datetime) -> Veto | None:
    """The frequency caps for one customer and one instant; None where a contact is allowed."""
    last = np.array([0 if last_contact is None else int(last_contact.timestamp())], dtype=np.int64)
    start = np.array([int(at.timestamp())], dtype=np.int64)
    code = VetoCode.numbered(int(cap_code(pack, last, np.array([contacts_7d], dtype=np.int16), start)[0, 0]))
    if code is None:
        return None
    rule = pack.contact_on(at.astimezone(UTC).date())
    values = (("hours", str(rule.limits.hours_between)), ("limit", str(rule.limits.per_7_days)))
    return Veto(code, rule.limits_source, values)


def _caps(pack: Pack, starts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
    """Per slot: the newest last contact that still allows it, and the cap within 7 days."""
    limits = [pack.contact_on(datetime.fromtimestamp(int(start), UTC).date()).limits for start in starts]
    hours = np.array([each.hours_between for each in limits], dtype=np.int64)
    return starts - hours * HOUR, np.array([each.per_7_days for each in limits], dtype=np.int16)


def call_ok(
    pack: Pack,
    last_talk_epoch: NDArray[np.int64],
    calls_7d: NDArray[np.int16],
    starts: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Which slots the telephone caps allow, bool[n, m]: all of them where a jurisdiction has none of its own.

    `last_talk_epoch` int64[n]: the last conversation about this claim, 0 for never. `calls_7d` int16[n]:
    calls placed about this claim in the last 7 days.
    """
    rules = [pack.calls_on(datetime.fromtimestamp(int(start), UTC).date()) for start in starts]
    rest = np.array([rule.days_after_talk if rule else 0 for rule in rules], dtype=np.int64) * DAY
    cap = np.array([rule.per_7_days if rule else np.iinfo(np.int16).max for rule in rules], dtype=np.int16)
    ok: NDArray[np.bool_] = last_talk_epoch[:, None] <= (starts - rest)[None, :]
    ok &= calls_7d[:, None] < cap[None, :]
    return ok
