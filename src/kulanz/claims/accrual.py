"""The accrual run: default interest of every claim in default, up to a day, block by block and by columns.

What is posted is the rounded total to date less what was posted: a second run of a day posts nothing, and a run after
days off catches up in one posting per claim.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from kulanz.claims import defaulting, ledger
from kulanz.claims.bearing import EPOCH, InDefault, Ints, Moves, in_default, lock_cases, next_cases, principal
from kulanz.claims.interest import DAY, Charging, Rests, charging, party_of, rests_of
from kulanz.claims.models import Account, Journal
from kulanz.law.accrual import RateIndex, accrue_block, rate_index
from kulanz.law.caveats import Caveat
from kulanz.law.figures.interest import DayCount, DefaultRate
from kulanz.law.interest import Movement
from kulanz.law.interest import accrue as accrue_rows
from kulanz.law.packs import NoRate, Pack
from kulanz.law.rates import Terms, day_count_of, default_rate
from kulanz.tenancy.law import pack

BLOCK = 5_000
BY = "claims"


@dataclass(frozen=True, slots=True)
class Accrued:
    """`claims` in default were looked at, `posted` of them got a posting.

    `totals`: minor units by currency, ascending. `without_rate`: claims for which the law's tables hold no rate;
    nothing was posted for them.
    """

    claims: int = 0
    posted: int = 0
    totals: tuple[tuple[str, int], ...] = ()
    without_rate: int = 0
    caveats: tuple[Caveat, ...] = ()

    @property
    def total(self) -> int:
        """Minor units, whatever their currency: for creditors with one."""
        return sum(total for _, total in self.totals)

    def __add__(self, other: "Accrued") -> "Accrued":
        sums = Counter(dict(self.totals))
        sums.update(dict(other.totals))
        return Accrued(
            self.claims + other.claims,
            self.posted + other.posted,
            tuple(sorted(sums.items())),
            self.without_rate + other.without_rate,
            tuple(sorted({*self.caveats, *other.caveats})),
        )


def accrue(day: date, *, dry_run: bool = False) -> Accrued:
    """Set the defaults that began, and charge interest for the days before `day` on every claim in default of the
    creditor in scope.

    No interest is charged where the creditor charges none. A claim that was charged on `day` or later is left alone.
    `dry_run`: the same figures, and nothing is kept.
    """
    if not dry_run:
        return _accrue(day)
    with transaction.atomic():
        done = _accrue(day)
        transaction.set_rollback(True)
    return done


def _accrue(day: date) -> Accrued:
    defaulting.begin_by_law(day)
    own, done, after = charging(), Accrued(), 0
    if not own.charges:
        return done
    run = _Run(day, own, dict(rests_of(None, own.zone)))
    while True:
        with transaction.atomic():
            cases = next_cases(day, after, BLOCK)
            if not len(cases):
                return done
            lock_cases(cases.tolist())
            done += run.block(int(cases[0]), int(cases[-1]))
            after = int(cases[-1])


@dataclass(slots=True)
class _Run:
    """What one run remembers between its blocks."""

    day: date
    own: Charging
    rests: dict[int, Rests]
    rules: dict[tuple[str, str, int, int], "_Rule | None"] = field(default_factory=dict)

    def block(self, first: int, last: int) -> Accrued:
        """Work out and post the cases from `first` to `last`."""
        found = in_default(self.day, first, last)
        claims = _kept(found, found.charged_to < _epoch(self.day))
        moves = principal(claims, first, last, self.rests)
        totals, rules = self._totals(claims, moves)
        more = np.where(rules != None, totals - claims.charged, 0)  # noqa: E711 - elementwise
        rows = np.flatnonzero(more)
        if len(rows):
            self._post(claims, rows, more, rules)
        used = {
            (rule, start) for rule, start in zip(rules[rows], claims.default_from[rows].tolist(), strict=True)
        }
        caveats = {caveat for rule, start in used for caveat in rule.caveats(start)}
        without = int(np.count_nonzero(rules == None))  # noqa: E711
        return Accrued(
            len(found), len(rows), _by_currency(claims, more, rows), without, tuple(sorted(caveats))
        )

    def _totals(self, claims: InDefault, moves: Moves) -> tuple[Ints, NDArray[np.object_]]:
        """Totals to date, int64[n], and the rule behind each; None where there is no rate."""
        n = len(claims)
        totals, rules = np.zeros(n, np.int64), np.full(n, None, object)
        end = _epoch(self.day) - 1
        for rule, under in self._by_rule(claims):
            members = under[rule.knows(claims.default_from[under], end)]
            start = claims.default_from[members]
            place = np.full(n, -1, np.int64)
            place[members] = np.arange(len(members))
            mine = place[moves.place] >= 0
            totals[members] = accrue_block(
                rule.index,
                place[moves.place[mine]],
                moves.day[mine],
                moves.amount[mine],
                start,
                np.full(len(members), end),
            )
            rules[members] = rule
        return totals, rules

    def _by_rule(self, claims: InDefault) -> Iterator[tuple["_Rule", Ints]]:
        members: dict[_Rule, list[int]] = {}
        keys = zip(
            claims.jurisdiction.tolist(),
            claims.kind.tolist(),
            claims.contract_day.tolist(),
            claims.performed_day.tolist(),
            strict=True,
        )
        for at, key in enumerate(keys):
            if key not in self.rules:
                self.rules[key] = self._rule(*key)
            rule = self.rules[key]
            if rule is not None:
                members.setdefault(rule, []).append(at)
        for rule, found in members.items():
            yield rule, np.array(found, np.int64)

    def _rule(self, jurisdiction: str, kind: str, contract_day: int, performed_day: int) -> "_Rule | None":
        law, own = pack(jurisdiction), self.own
        terms = Terms(party_of(kind), _date(contract_day), _date(performed_day), own.day_count, own.overrides)
        try:
            rule, count = default_rate(law, terms), day_count_of(law, terms)
            same = (law, rule, count)
            known = (
                each for each in self.rules.values() if each and (each.law, each.rule, each.day_count) == same
            )
            return next(known, None) or _Rule(law, rule, count, terms, self.day)
        except NoRate:
            return None

    def _post(self, claims: InDefault, rows: Ints, more: Ints, rules: NDArray[np.object_]) -> None:
        ids = claims.claim_id[rows].tolist()
        starts = claims.default_from[rows].tolist()
        n = len(ids)
        ledger.post_block(
            ledger.EntryBlock(
                keys=[f"interest:{claim}:{self.day}" for claim in ids],
                kinds=[Journal.Kind.INTEREST.value] * n,
                case_ids=claims.case_id[rows].tolist(),
                claim_ids=ids,
                value_dates=[self.day] * n,
                debit_account=Account.INTEREST,
                credit_account=Account.EARNED,
                amounts=more[rows].tolist(),
                bases=["interest"] * n,
                cause=BY,
                details=[rule.details(start) for rule, start in zip(rules[rows], starts, strict=True)],
            )
        )


@dataclass(eq=False)
class _Rule:
    """One rule of law under the creditor's terms, up to the day of the run; `terms` are those of one debt under it.

    Raises NoRate where the rule has no rate on any day.
    """

    law: Pack
    rule: DefaultRate
    day_count: DayCount
    terms: Terms
    day: date
    _caveats: dict[int, tuple[Caveat, ...]] = field(default_factory=dict)
    _details: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.index: RateIndex = rate_index(self.law, self.rule, self.day_count, self.terms.overrides)

    def knows(self, start: Ints, end: int) -> NDArray[np.bool_]:
        """For which of the starts the whole period to `end` has rates; epoch days."""
        within: NDArray[np.bool_] = (start >= _epoch(self.index.first)) & (
            end <= _epoch(self.index.known_until)
        )
        return within

    def caveats(self, start: int) -> tuple[Caveat, ...]:
        """What is unverified among the figures for interest from epoch day `start` on."""
        if start not in self._caveats:
            begins = _date(start)
            self._caveats[start] = accrue_rows(
                [Movement(begins, 1)], begins, self.day - DAY, self.law, self.terms
            ).caveats
        return self._caveats[start]

    def details(self, start: int) -> str:
        """How the total to date was worked out, as JSON; `law.interest` gives the rows from the same inputs."""
        if start not in self._details:
            highest = self.terms.overrides.max_rate
            self._details[start] = json.dumps(
                {
                    "from": _date(start).isoformat(),
                    "to": (self.day - DAY).isoformat(),
                    "over": self.rule.over,
                    "percent": str(self.rule.percent),
                    "highest": None if highest is None else str(highest),
                    "day_count": str(self.day_count),
                    "unverified": [caveat.what for caveat in self.caveats(start)],
                },
                separators=(",", ":"),
            )
        return self._details[start]


def _by_currency(claims: InDefault, more: Ints, rows: Ints) -> tuple[tuple[str, int], ...]:
    currencies = claims.currency[rows]
    return tuple(
        (each, int(more[rows][currencies == each].sum())) for each in sorted(set(currencies.tolist()))
    )


def _kept(claims: InDefault, keep: NDArray[np.bool_]) -> InDefault:
    return replace(claims, **{each.name: getattr(claims, each.name)[keep] for each in fields(claims)})


def _epoch(day: date) -> int:
    return (day - EPOCH).days


def _date(epoch_day: int) -> date:
    return EPOCH + timedelta(days=epoch_day)
