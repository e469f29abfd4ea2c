"""What a case's facts lead to, worked out from the beginning in the order of value dates. Pure.

Facts are what happened outside: claims, costs, credit notes, payments, returns, waivers. Everything else follows from
them and is recomputed here: how each payment is spread, what credit is set off against, how far a waiver reaches, and
the default interest owed on each day on which that decides something. Two ledgers with the same facts therefore end
in the same balances, in whatever order the facts became known.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from kulanz.claims.models import COSTS, OWED, Account, Journal
from kulanz.law.allocation import ORDERS, OpenItem, Order, allocate
from kulanz.law.allocation import Account as Part

Kind = Journal.Kind
CAPPED = frozenset({Kind.WAIVER, Kind.DISCOUNT, Kind.WRITE_OFF, Kind.TRANSFER})
"""Journals that take away what is open: where an earlier payment left less, they take away less."""
DERIVED = frozenset({Kind.PAYMENT, Kind.PAYMENT_RETURN, Kind.RECOVERY}) | CAPPED
"""Facts whose lines follow from those before them."""
ACCRUES = frozenset({Kind.PAYMENT}) | CAPPED
"""Facts that ask how much interest is owed on their day."""
OFFSET = "offset"
_OF_PART = {Part.COST: COSTS, Part.INTEREST: (Account.INTEREST,), Part.PRINCIPAL: (Account.PRINCIPAL,)}
ACCOUNTS = {order: tuple(a for part in parts for a in _OF_PART[part]) for order, parts in ORDERS.items()}
"""The accounts of a claim in the order in which a payment settles them."""

Movements = Sequence[tuple[date, int]]
Interest = Callable[[int, Movements, date], int]
"""(claim, movements of its principal, day) -> default interest for the days before the day, minor units, rounded."""


@dataclass(frozen=True, slots=True)
class Debt:
    """What the replay must know of a claim beside its journals; `order` in which a payment settles its parts."""

    claim_id: int
    due_date: date
    credit_note: bool = False
    default_from: date | None = None
    order: Order = "367"


@dataclass(frozen=True, slots=True)
class FactLine:
    """One posting of a fact: minor units, debit positive."""

    claim_id: int | None
    account: str
    amount: int
    basis: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One journal. `order` grows with booking; of two facts of one day the one booked first counts first.

    `designated`: the claim that a payment names. `undoes`: the `order` of the payment that a return takes back.
    """

    order: int
    day: date
    kind: str
    lines: tuple[FactLine, ...]
    designated: int | None = None
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a derived amount stands in the ledger."""

    day: date
    basis: str
    claim_id: int | None
    account: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """The state at the end.

    `places`: every derived amount that is not zero, set-offs among them. `interest`: (claim, day) -> total up to and
    with the day, for each day that mattered. `lines`: of each derived fact by its order. `balances`: by claim and
    account, minor units.
    """

    places: Mapping[Place, int]
    interest: Mapping[tuple[int, date], int]
    lines: Mapping[int, tuple[FactLine, ...]]
    balances: Mapping[tuple[int | None, str], int]


def replay(
    facts: Sequence[Fact], debts: Sequence[Debt], interest: Interest | None, accrued_to: date | None
) -> Replayed:
    """The consequences of `facts` from the first to the last.

    `interest` None: none is charged, and interest journals among the facts stand as they are. `accrued_to`: the day
    up to which interest has been charged at least; None: not yet.
    """
    work = _Work({debt.claim_id: debt for debt in debts}, interest)
    for day, fact in _in_order(facts):
        work.take(fact)
        work.set_off(day)
    if accrued_to is not None:
        work.accrue(accrued_to)
    return Replayed(
        {place: amount for place, amount in work.places.items() if amount},
        work.charged,
        {order: tuple(lines) for order, lines in work.lines.items()},
        dict(work.balances),
    )


def _in_order(facts: Sequence[Fact]) -> list[tuple[date, Fact]]:
    """Facts with the day on which each begins to count, the earliest first.

    That is the value date; a claim is there, at the latest, for the payments that came in after it was booked, even if
    they count from before its own date.
    """
    counted: list[tuple[date, Fact]] = []
    first_payment = date.max
    for fact in sorted(facts, key=lambda fact: fact.order, reverse=True):
        if fact.kind == Kind.PAYMENT:
            first_payment = min(first_payment, fact.day)
        early = min(fact.day, first_payment) if fact.kind == Kind.OPENED else fact.day
        counted.append((early, fact))
    return sorted(counted, key=lambda pair: (pair[0], pair[1].order))


def spread(
    amount: int,
    debts: Sequence[Debt],
    balances: Mapping[tuple[int | None, str], int],
    designated: int | None = None,
) -> tuple[FactLine, ...]:
    """The lines of a payment of `amount` at the end of a history that left `balances`, where no credit is left."""
    work = _Work({debt.claim_id: debt for debt in debts}, None)
    for (claim, account), open_amount in balances.items():
        work.move(date.min, FactLine(claim, account, open_amount, ""))
    return work.spread(amount, designated)


@dataclass(slots=True)
class _Offset:
    """Credit that was set off against an account of a claim; `amount` shrinks when it is taken back."""

    claim_id: int
    account: str
    amount: int


@dataclass(slots=True)
class _Source:
    """Where credit comes from: a credit note's claim, or None for what was paid too much."""

    claim_id: int | None
    account: str
    amount: int


@dataclass(slots=True)
class _Work:
    debts: Mapping[int, Debt]
    interest: Interest | None
    balances: dict[tuple[int | None, str], int] = field(default_factory=lambda: defaultdict(int))
    movements: dict[int, list[tuple[date, int]]] = field(default_factory=lambda: defaultdict(list))
    charged: dict[tuple[int, date], int] = field(default_factory=dict)
    total: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    places: Counter[Place] = field(default_factory=Counter)
    lines: dict[int, tuple[FactLine, ...]] = field(default_factory=dict)
    offsets: list[_Offset] = field(default_factory=list)
    owing: set[tuple[int, str]] = field(default_factory=set)
    surplus: set[tuple[int, str]] = field(default_factory=set)

    def take(self, fact: Fact) -> None:
        """Let a fact have its effect."""
        if fact.kind in ACCRUES:
            self.accrue(fact.day)
        lines = self._lines_of(fact)
        if fact.kind in DERIVED:
            self.lines[fact.order] = lines
            for line in lines:
                self.places[Place(fact.day, line.basis, line.claim_id, line.account)] += line.amount
        for line in lines:
            self.move(fact.day, line)

    def accrue(self, day: date) -> None:
        """Charge default interest for the days before `day`."""
        if self.interest is None:
            return
        for debt in self.debts.values():
            if debt.default_from is None or day < debt.default_from:
                continue
            total = self.interest(debt.claim_id, self.movements[debt.claim_id], day)
            self.charged[debt.claim_id, day] = total
            more = total - self.total[debt.claim_id]
            self.move(day, FactLine(debt.claim_id, Account.INTEREST, more, "interest"))
            self.total[debt.claim_id] = total

    def set_off(self, day: date) -> None:
        """Credit against what is open: surplus of claims, what credit notes gave, what was paid too much."""
        self._surplus_to_credit(day)
        self._take_back_overdrawn(day)
        sources = self._sources()
        if not sources or not self.owing:
            return
        self.accrue(day)
        for line in self._settled(sum(source.amount for source in sources), None, OFFSET):
            self._draw(sources, day, line)

    def _lines_of(self, fact: Fact) -> tuple[FactLine, ...]:
        if fact.kind == Kind.PAYMENT:
            amount = sum(line.amount for line in fact.lines if line.account == Account.RECEIVED)
            return self.spread(amount, fact.designated)
        if fact.kind == Kind.PAYMENT_RETURN and fact.undoes in self.lines:
            paid = self.lines[fact.undoes]
            return tuple(FactLine(p.claim_id, p.account, -p.amount, "payment_return") for p in paid)
        if fact.kind in CAPPED:
            return self._capped(fact.lines)
        return self._recovered(fact.lines) if fact.kind == Kind.RECOVERY else fact.lines

    def spread(self, amount: int, designated: int | None) -> tuple[FactLine, ...]:
        """The lines of a payment on the present balances."""
        settled = self._settled(amount, designated, "payment")
        rest = amount + sum(line.amount for line in settled)
        credit = [FactLine(None, Account.CREDIT, -rest, "overpayment")] if rest else []
        return (FactLine(None, Account.RECEIVED, amount, "payment"), *settled, *credit)

    def _settled(self, amount: int, designated: int | None, basis: str) -> list[FactLine]:
        """What `amount` settles, as credits to the accounts of claims."""
        shares: Counter[int] = Counter()
        for row in allocate(amount, self._items(), designated=designated).rows:
            shares[row.claim_id] += row.amount
        return [
            FactLine(claim, account, -part, basis)
            for claim, share in shares.items()
            for account, part in self._accounts(claim, share)
        ]

    def _accounts(self, claim: int, share: int) -> Iterator[tuple[str, int]]:
        """The accounts of a claim that its share of a payment settles, in the claim's own order."""
        for account in ACCOUNTS[self.debts[claim].order]:
            part = min(share, max(0, self.balances[claim, account]))
            share -= part
            if part:
                yield account, part

    def _items(self) -> list[OpenItem[int]]:
        """Claims with something open, in the order in which the ledger lists them."""
        items = [
            OpenItem(
                debt.claim_id,
                debt.due_date,
                sum(max(0, self.balances[debt.claim_id, account]) for account in COSTS),
                max(0, self.balances[debt.claim_id, Account.INTEREST]),
                max(0, self.balances[debt.claim_id, Account.PRINCIPAL]),
            )
            for debt in self._by_age({claim for claim, _ in self.owing})
        ]
        return [item for item in items if item.total > 0]

    def _by_age(self, claims: Collection[int]) -> list[Debt]:
        return sorted(
            (self.debts[claim] for claim in claims), key=lambda debt: (debt.due_date, debt.claim_id)
        )

    def _capped(self, lines: tuple[FactLine, ...]) -> tuple[FactLine, ...]:
        """The lines with nothing taken away that does not stand there; their counterpart shrinks as well."""
        taken, excess = [], 0
        for line in lines:
            if line.amount < 0:
                part = min(-line.amount, max(0, self.balances[line.claim_id, line.account]))
                excess += -line.amount - part
                taken.append(replace(line, amount=-part))
            else:
                taken.append(line)
        for at, line in enumerate(taken):
            if line.amount > 0 and excess:
                cut = min(line.amount, excess)
                excess -= cut
                taken[at] = replace(line, amount=line.amount - cut)
        return tuple(line for line in taken if line.amount)

    def _recovered(self, lines: tuple[FactLine, ...]) -> tuple[FactLine, ...]:
        """Money for a claim that was written off; what is more than was written off was paid too much."""
        money = tuple(line for line in lines if line.amount > 0)
        taken = self._capped(tuple(line for line in lines if line.amount < 0))
        over = sum(line.amount for line in (*money, *taken))
        credit = (FactLine(None, Account.CREDIT, -over, "overpayment"),) if over else ()
        return (*money, *taken, *credit)

    def _surplus_to_credit(self, day: date) -> None:
        for claim, account in sorted(self.surplus):
            if not self.debts[claim].credit_note:
                self._offset(day, claim, account, -self.balances[claim, account], None, Account.CREDIT)

    def _take_back_overdrawn(self, day: date) -> None:
        """Credit that a return or refund took away settles nothing any more; the last set-off goes first."""
        for offset in reversed(self.offsets):
            part = min(offset.amount, max(0, self.balances[None, Account.CREDIT]))
            if part:
                offset.amount -= part
                self._offset(day, offset.claim_id, offset.account, part, None, Account.CREDIT)

    def _sources(self) -> list[_Source]:
        notes = [
            _Source(debt.claim_id, account, -self.balances[debt.claim_id, account])
            for debt in self._by_age({claim for claim, _ in self.surplus})
            for account in OWED
        ]
        paid = _Source(None, Account.CREDIT, -self.balances[None, Account.CREDIT])
        return [source for source in (*notes, paid) if source.amount > 0]

    def _draw(self, sources: Sequence[_Source], day: date, line: FactLine) -> None:
        """Settle one line from the sources, in their order."""
        left = -line.amount
        for source in sources:
            part = min(left, source.amount)
            if not part or line.claim_id is None:
                continue
            left -= part
            source.amount -= part
            self._offset(day, source.claim_id, source.account, part, line.claim_id, line.account)
            if source.claim_id is None:
                self.offsets.append(_Offset(line.claim_id, line.account, part))

    def _offset(
        self, day: date, debit: int | None, debited: str, amount: int, credit: int | None, credited: str
    ) -> None:
        for claim, account, signed in ((debit, debited, amount), (credit, credited, -amount)):
            self.places[Place(day, OFFSET, claim, account)] += signed
            self.move(day, FactLine(claim, account, signed, OFFSET))

    def move(self, day: date, line: FactLine) -> None:
        where = line.claim_id, line.account
        self.balances[where] += line.amount
        if line.claim_id is None or line.account not in OWED:
            return
        owed = line.claim_id, line.account
        for kept, belongs in (
            (self.owing, self.balances[where] > 0),
            (self.surplus, self.balances[where] < 0),
        ):
            (kept.add if belongs else kept.discard)(owed)
        if line.account == Account.PRINCIPAL:
            self.movements[line.claim_id].append((day, line.amount))
