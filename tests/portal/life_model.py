"""What should become of one customer's money, told as simply as can be: whole numbers and what was said last."""

from dataclasses import dataclass, field


@dataclass
class Attempt:
    """An attempt to pay online. `happened`: what the provider knows; `booked`: what we have been told of it."""

    amount: int
    minute: int
    checkout: str
    happened: str = "open"
    told: str = "open"

    @property
    def under_way(self) -> bool:
        return self.told == "open"


@dataclass
class Plan:
    """Rates under way: what they add up to, and the money that counts towards them."""

    total: int
    received: int = 0
    counts: set[str] = field(default_factory=set)


@dataclass
class Money:
    """The balance is owed where it is above zero, and the customer's credit where it is below."""

    balance: int = 0
    minute: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    received: dict[str, int] = field(default_factory=dict)
    plan: Plan | None = None

    @property
    def owed(self) -> int:
        return max(0, self.balance)

    @property
    def credit(self) -> int:
        return max(0, -self.balance)

    def change(self, amount: int) -> None:
        """More is owed (> 0), or less: an invoice, a credit note, a waiver, money sent back."""
        self.balance += amount
        self.look_at_the_plan()

    def arrives(self, name: str, amount: int) -> None:
        """Money came in; the same name again is the same money."""
        if name in self.received:
            return
        self.received[name] = amount
        self.balance -= amount
        if self.plan:
            self.plan.received += amount
            self.plan.counts.add(name)
        self.look_at_the_plan()

    def goes_back(self, name: str) -> None:
        """Money that had come in was taken back; only what came since a plan was agreed matters to it."""
        amount = self.received.pop(name)
        self.balance += amount
        if self.plan and name in self.plan.counts:
            self.plan.received -= amount
        self.look_at_the_plan()

    def agrees(self, total: int) -> None:
        self.plan = Plan(total)

    def look_at_the_plan(self) -> None:
        """A plan is over as soon as nothing of it is left to pay."""
        if self.plan and not self.rest:
            self.plan = None

    @property
    def rest(self) -> int:
        """Still to pay under the plan: never more than is owed."""
        assert self.plan is not None
        came = min(self.plan.total, max(0, self.plan.received))
        return min(self.plan.total - came, self.owed)

    def to_join(self, amount: int) -> Attempt | None:
        """The newest attempt for the same amount in the last half hour that has not ended."""
        same = (
            each
            for each in reversed(self.attempts)
            if each.amount == amount and each.under_way and self.minute - each.minute < 30
        )
        return next(same, None)

    def hears(self, attempt: Attempt) -> None:
        """We are told what the provider knows."""
        name, state = f"checkout {attempt.checkout}", attempt.happened
        if state in ("paid", "returned") and attempt.told not in ("paid", "returned"):
            self.arrives(name, attempt.amount)
        if state == "returned" and attempt.told != "returned":
            self.goes_back(name)
        attempt.told = state
