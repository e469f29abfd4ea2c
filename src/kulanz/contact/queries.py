"""Reads for the gate: a block of cases in a few statements, and one case afresh before its message leaves.

The creditor is compared behind a unary plus, so that SQLite takes the index on the customer and not the one on
the creditor.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from kulanz.claims.queries import barred_cases, open_amount
from kulanz.contact.facts import HOLDS, NO_HOLD, OF_THE_PERSON, Bools, CaseFacts, CreditorRules, StageSet
from kulanz.contact.gate import check
from kulanz.contact.models import Channel, Representative
from kulanz.kernel.database import in_clause, is_postgres, read_columns, stored_datetime
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.law.contact import region_of_postal_code
from kulanz.law.packs import ContactLimits, Pack, load
from kulanz.law.regions import is_public_holiday
from kulanz.law.vetoes import HoldReason, Veto
from kulanz.tenancy.law import pack
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id

Ints = NDArray[np.int64]

WITH_PROVIDER = frozenset({Channel.EMAIL.value})
"""Channels for which the installation has a provider."""

NEED_CONSENT = frozenset({Channel.WHATSAPP.value, Channel.CALL.value})
"""Channels that need an opt-in even for a reminder: the messenger's own terms; automated calls, 47 U.S.C. 227(b)(1)."""

WEEK = timedelta(days=7)
RETURN = timedelta(days=3)
RETURN_HOURS = 72
"""Within this time after a hold each case has an hour from which demands may begin again."""
CALL = Channel.CALL.value
ADULT_AT = 18


def creditor_rules(creditor: Creditor, channels_on: Collection[str] = WITH_PROVIDER) -> CreditorRules:
    """What binds this creditor's contacts; `channels_on` are those it has not switched off."""
    return _rules(
        pack(creditor.jurisdiction),
        creditor.timezone,
        creditor.hours_between_contacts,
        creditor.contacts_per_7_days,
        frozenset(channels_on),
        creditor.polite_when_barred,
    )


@lru_cache(maxsize=1024)
def _rules(
    law: Pack,
    timezone: str,
    hours_between: int,
    per_7_days: int,
    channels_on: frozenset[str],
    polite: bool,
) -> CreditorRules:
    limits = ContactLimits(hours_between=hours_between, per_7_days=per_7_days)
    return CreditorRules(law, timezone, limits, channels_on, polite)


def facts(
    case_ids: Ints,
    open_amounts: Ints,
    at: datetime,
    channels: Sequence[str],
    on_their_way: Ints | None = None,
) -> CaseFacts:
    """The facts of a block of cases of the creditor in scope, in the order of `case_ids` (each once).

    `open_amounts` int64[n] in minor units; `on_their_way` int64[n]: messages that will reach each case's customer and
    have not left yet (the outbox lies one floor up and passes them in). Raises NotFoundError for a case of another
    creditor.
    """
    timezone = Creditor.objects.values_list("timezone", flat=True).get(id=creditor_id())
    coming = np.zeros(len(case_ids), np.int64) if on_their_way is None else on_their_way
    return _facts(case_ids, open_amounts, _Moment(at, timezone), tuple(channels), coming)


def recheck(
    case_id: int,
    channel: str,
    stage_set: StageSet,
    at: datetime,
    *,
    on_their_way: int = 0,
    rules: CreditorRules | None = None,
) -> Veto | None:
    """The gate for one message in the transaction that sends it, everything read afresh; None where it may leave.

    Call after `claims.actions.lock_case`. `on_their_way` counts the customer's other messages that have not left yet;
    `rules` saves a sender of many messages from reading the creditor's own each time.
    """
    rules = rules or creditor_rules(Creditor.objects.get(id=creditor_id()))
    case = np.array([case_id], np.int64)
    amount = np.array([open_amount(case_id)], np.int64)
    coming = np.array([on_their_way], np.int64)
    found = _facts(case, amount, _Moment(at, rules.timezone), (channel,), coming)
    return check(found, channel, stage_set, rules, at)


@dataclass(frozen=True, slots=True)
class _Moment:
    at: datetime
    timezone: str

    @property
    def day(self) -> date:
        """The local day."""
        return self.at.astimezone(ZoneInfo(self.timezone)).date()

    @property
    def adults_born_by(self) -> date:
        """Who was born later is a minor on this local day."""
        day = self.day
        last_of_february = day.month == 2 and day.day == 29
        return day.replace(year=day.year - ADULT_AT, day=28 if last_of_february else day.day)


def _facts(
    case_ids: Ints, open_amounts: Ints, moment: _Moment, channels: tuple[str, ...], on_their_way: Ints
) -> CaseFacts:
    cases = _cases(case_ids, moment, channels)
    point, consent = _digits(cases["points"], len(channels)), _digits(cases["consents"], len(channels))
    needed = np.array([channel in NEED_CONSENT for channel in channels])
    contacts = np.minimum(cases["recent"] + on_their_way, np.iinfo(np.int16).max)
    return CaseFacts(
        case_id=case_ids,
        customer_id=cases["customer_id"],
        open_amount=open_amounts,
        minor=cases["minor"] == 1,
        has_point=point > 0,
        bounced=point == _BOUNCED,
        opted_out=consent == _WITHDRAWN,
        no_consent=needed & (consent != _GIVEN),
        hold=_holds(case_ids, cases["customer_id"], moment.at),
        last_contact=cases["last"],
        contacts_7d=contacts.astype(np.int16),
        pending=on_their_way > 0,
        region=_regions(cases["country"], cases["postal_code"]),
        returns_at=_returns(case_ids, moment.at),
        barred=barred_cases(case_ids, moment.day),
        last_talk=cases["talk"],
        calls_7d=cases["calls"].astype(np.int16),
    )


def _cases(case_ids: Ints, moment: _Moment, channels: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    among, ids = _among("k.id", np.sort(case_ids))
    seconds = "CAST(FLOOR(EXTRACT(EPOCH FROM l.at)) AS BIGINT)" if is_postgres() else "unixepoch(l.at)"
    found = read_columns(
        _CASES.format(
            points=_per_channel(channels, "CASE t.state WHEN 'ok' THEN 2 WHEN 'bounced' THEN 1 ELSE 0 END"),
            consents=_per_channel(
                channels,
                "CASE WHEN t.withdrawn_at IS NOT NULL THEN 2 WHEN t.given_at IS NOT NULL THEN 1 ELSE 0 END",
            ),
            seconds=seconds,
            among=among,
            calls=_CALLS.format(seconds=seconds) if CALL in channels else "0 AS talk, 0 AS calls",
        ),
        [
            moment.adults_born_by,
            *[stored_datetime(moment.at - WEEK)] * (2 if CALL in channels else 1),
            creditor_id(),
            *ids,
        ],
    )
    place, inside = _places(found["id"], case_ids)
    if not inside.all():
        raise NotFoundError("There is no such case.")
    return {name: values[place] for name, values in found.items()}


_BOUNCED = _GIVEN = 1
_WITHDRAWN = 2

_CASES = """
SELECT k.id, k.customer_id, c.country, c.postal_code,
  CASE WHEN c.kind = 'person' AND c.birth_date > %s THEN 1 ELSE 0 END AS minor,
  COALESCE((SELECT {points} FROM contact_contactpoint t
    WHERE t.customer_id = k.customer_id AND +t.creditor_id = k.creditor_id), 0) AS points,
  COALESCE((SELECT {consents} FROM contact_consent t
    WHERE t.customer_id = k.customer_id AND +t.creditor_id = k.creditor_id AND t.purpose = 'reminders'), 0) AS consents,
  COALESCE((SELECT {seconds} FROM contact_contactlog l
    WHERE l.customer_id = k.customer_id AND +l.creditor_id = k.creditor_id AND l.demanding
    ORDER BY l.at DESC LIMIT 1), 0) AS last,
  (SELECT COUNT(*) FROM contact_contactlog l
    WHERE l.customer_id = k.customer_id AND +l.creditor_id = k.creditor_id AND l.demanding AND l.at > %s) AS recent,
  {calls}
FROM claims_case k JOIN claims_customer c ON c.id = k.customer_id
WHERE +k.creditor_id = %s AND {among} ORDER BY k.id
"""


_CALLS = """COALESCE((SELECT MAX({seconds}) FROM contact_contactlog l
    WHERE l.customer_id = k.customer_id AND +l.creditor_id = k.creditor_id AND l.talked), 0) AS talk,
  (SELECT COUNT(*) FROM contact_contactlog l WHERE l.customer_id = k.customer_id AND +l.creditor_id = k.creditor_id
    AND l.channel = 'call' AND l.at > %s) AS calls"""


def _per_channel(channels: tuple[str, ...], value: str) -> str:
    """SQL for the largest `value` (0 to 2) of each channel, as digits to the base 3."""
    names = [Channel(channel).value for channel in channels]
    digits = (
        f"{3**at} * MAX(CASE WHEN t.channel = '{name}' THEN {value} ELSE 0 END)"
        for at, name in enumerate(names)
    )
    return " + ".join(digits)


def _digits(values: Ints, channels: int) -> Ints:
    """int64[n, channels] from numbers to the base 3."""
    digits: Ints = values[:, None] // 3 ** np.arange(channels) % 3
    return digits


def _among(column: str, ids: Ints) -> tuple[str, list[int]]:
    """SQL and parameters for rows with one of the ascending `ids`, or in their range where they lie close together."""
    if len(ids) and ids[-1] - ids[0] < 4 * len(ids):
        return f"{column} BETWEEN %s AND %s", [int(ids[0]), int(ids[-1])]
    return in_clause(column, ids), []


def _places(ids: Ints, wanted: NDArray[Any]) -> tuple[Ints, Bools]:
    """Where the `wanted` stand in the ascending `ids`, and which of them do."""
    if not len(ids):
        return np.empty(0, np.int64), np.zeros(len(wanted), np.bool_)
    place = np.searchsorted(ids, wanted)
    inside = ids[np.minimum(place, len(ids) - 1)] == wanted
    return place[inside], inside


def _holds(case_ids: Ints, customer_ids: Ints, at: datetime) -> NDArray[np.int8]:
    """The strongest hold of each case; what holds the person holds all of the person's cases."""
    now = stored_datetime(at)
    customers, of_row = np.unique(customer_ids, return_inverse=True)
    among, ids = _among("k.customer_id", customers)
    found = read_columns(
        f"""SELECT k.customer_id, h.case_id, h.reason FROM claims_case k CROSS JOIN claims_hold h
        WHERE h.case_id = k.id AND {among} AND +h.creditor_id = %s AND h.lifted_at IS NULL
          AND h.stops_contact AND h.from_at <= %s AND (h.until_at IS NULL OR h.until_at > %s)""",  # noqa: S608
        [*ids, creditor_id(), now, now],
    )
    if not len(found["case_id"]):
        return np.full(len(case_ids), NO_HOLD, np.int8)
    rank = np.array([HOLDS.index(HoldReason(reason)) for reason in found["reason"]], np.int8)
    personal = np.array([HOLDS[each] in OF_THE_PERSON for each in rank], np.bool_)
    of_customer = _lowest(customers, found["customer_id"][personal], rank[personal])[of_row]
    order = np.argsort(case_ids)
    of_case = np.empty_like(of_customer)
    of_case[order] = _lowest(case_ids[order], found["case_id"], rank)
    strongest = np.minimum(of_case, of_customer)
    return np.where(strongest == len(HOLDS), NO_HOLD, strongest).astype(np.int8)


def _returns(case_ids: Ints, at: datetime) -> Ints:
    """When demands may begin again after a hold that ended lately, epoch seconds, 0 where none did.

    Cases come back one by one over three days, each at an hour of its own, so that holds ending together are followed
    by no storm of messages.
    """
    found = read_columns(
        """SELECT h.case_id, COALESCE(h.lifted_at, h.until_at) AS ended FROM claims_hold h
        WHERE +h.creditor_id = %s AND h.case_id BETWEEN %s AND %s AND h.stops_contact
          AND (h.lifted_at > %s OR h.lifted_at IS NULL AND h.until_at > %s)
          AND COALESCE(h.lifted_at, h.until_at) <= %s""",
        [
            creditor_id(),
            int(case_ids.min(initial=0)),
            int(case_ids.max(initial=0)),
            *[stored_datetime(at - RETURN)] * 2,
            stored_datetime(at),
        ],
    )
    returns = np.zeros(len(case_ids), np.int64)
    if not len(found["case_id"]):
        return returns
    order = np.argsort(case_ids)
    place, inside = _places(case_ids[order], found["case_id"])
    ended = np.array([_epoch(each) for each in found["ended"][inside]], np.int64)
    spread = (found["case_id"][inside] * 7919 % RETURN_HOURS + 1) * 3600
    np.maximum.at(returns, order[place], ended + spread)
    return returns


def _epoch(value: datetime | str) -> int:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)
    return int(at.timestamp())


def representative_of(customer_id: int, day: date) -> Representative | None:
    """Who speaks for a customer of the creditor in scope on a day; the one appointed last where there are several."""
    rows = Representative.objects.filter(customer_id=customer_id, from_day__lte=day)
    found: Representative | None = rows.exclude(until_day__lt=day).order_by("-from_day", "-id").first()
    return found


def _lowest(ids: Ints, found: Ints, rank: NDArray[np.int8]) -> NDArray[np.int8]:
    """The lowest rank found for each of the ascending `ids`, len(HOLDS) where there is none."""
    lowest = np.full(len(ids), len(HOLDS), np.int8)
    place, inside = _places(ids, found)
    np.minimum.at(lowest, place, rank[inside])
    return lowest


def _regions(countries: NDArray[Any], postal_codes: NDArray[Any]) -> NDArray[Any]:
    regions = np.empty(len(countries), object)
    regions[:] = [_region(*where) for where in zip(countries, postal_codes, strict=True)]
    return regions


@lru_cache(maxsize=65536)
def _region(country: str, postal_code: str) -> str | None:
    """None for a country without a holiday calendar: there the creditor's own holidays count."""
    part = region_of_postal_code(country, postal_code)
    region = f"{country}-{part}" if part else country
    try:
        is_public_holiday(load("DE"), date(2026, 1, 1), region)
    except InputError:
        return None
    return region
