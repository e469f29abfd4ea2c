"""What a provider's notice means for an intent, decided without touching anything."""

from dataclasses import dataclass
from enum import StrEnum

from kulanz.payments.methods.port import NoticeKind


class Outcome(StrEnum):
    """What became of a notice; stored with each webhook call."""

    BOOKED = "booked"
    BOOKED_AFTER_FAILURE = "booked_after_failure"
    BOOKED_AND_RETURNED = "booked_and_returned"
    RETURNED = "returned"
    REINSTATED = "reinstated"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PENDING = "pending"
    NO_CHANGE = "no_change"
    CONTRADICTS_PAYMENT = "contradicts_payment"
    AMOUNT_DIFFERS = "amount_differs"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"


class Money(StrEnum):
    """Where the money of an intent is, as the ledger has it."""

    NOT_BOOKED = "not_booked"
    BOOKED = "booked"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Plan:
    """`state` is the intent's new state, None to leave it; `book` comes before `take_back`.

    `reinstate`: money that was taken back is booked once more.
    """

    outcome: Outcome
    state: str | None = None
    book: bool = False
    take_back: bool = False
    reinstate: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What a customer wants to pay now, minor units; `claim_id`: the claim it is for, None leaves it to the law."""

    amount: int
    claim_id: int | None = None


def part_refused(part: Part, owed: int, least: int) -> bool:
    """Whether a part cannot be paid: nothing, more than is owed, or less than the least that is neither all of it."""
    return (
        part.amount <= 0 or part.amount > owed or (part.amount < min(least, owed) and part.claim_id is None)
    )


_NOTHING = Plan(Outcome.NO_CHANGE)
_SETTLED = ("succeeded", "failed", "cancelled")


def plan(kind: NoticeKind, state: str, money: Money, *, amount_fits: bool) -> Plan:
    """The one effect of a notice, whatever order notices arrive in.

    Money that the provider has is a fact and is booked once, even after a failure was told; a failure told after
    the payment changes nothing. A return that overtakes its payment books both.
    """
    if kind in (NoticeKind.PAID, NoticeKind.RETURNED, NoticeKind.REINSTATED) and not amount_fits:
        return Plan(Outcome.AMOUNT_DIFFERS)
    if kind == NoticeKind.REINSTATED:
        return Plan(Outcome.REINSTATED, reinstate=True) if money == Money.RETURNED else _NOTHING
    if kind == NoticeKind.PAID:
        return _paid(state, money)
    if kind == NoticeKind.RETURNED:
        return _returned(money)
    if money != Money.NOT_BOOKED:
        contradicts = kind in (NoticeKind.FAILED, NoticeKind.CANCELLED) and money == Money.BOOKED
        return Plan(Outcome.CONTRADICTS_PAYMENT) if contradicts else _NOTHING
    return _without_money(kind, state)


def _paid(state: str, money: Money) -> Plan:
    if money != Money.NOT_BOOKED:
        return _NOTHING
    late = state in ("failed", "cancelled")
    return Plan(Outcome.BOOKED_AFTER_FAILURE if late else Outcome.BOOKED, "succeeded", book=True)


def _returned(money: Money) -> Plan:
    if money == Money.RETURNED:
        return _NOTHING
    if money == Money.BOOKED:
        return Plan(Outcome.RETURNED, take_back=True)
    return Plan(Outcome.BOOKED_AND_RETURNED, "succeeded", book=True, take_back=True)


def _without_money(kind: NoticeKind, state: str) -> Plan:
    if state in _SETTLED:
        return _NOTHING
    if kind == NoticeKind.FAILED:
        return Plan(Outcome.FAILED, "failed")
    if kind == NoticeKind.CANCELLED:
        return Plan(Outcome.CANCELLED, "cancelled")
    if kind == NoticeKind.PENDING and state != "pending":
        return Plan(Outcome.PENDING, "pending")
    return _NOTHING
