"""What messages need to know about cases and customers, read for a block at once."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

from kulanz.claims.limitation import SHORTEST
from kulanz.claims.models import BALANCE_SQL, Customer
from kulanz.claims.queries import statement
from kulanz.contact.models import ContactPoint
from kulanz.kernel import clock
from kulanz.kernel.database import in_clause, read_columns
from kulanz.tenancy.scope import creditor_id

TRACED = "traced"
"""Source of a contact point that was found out, not given."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A claim on which something is open, in minor units > 0."""

    number: str
    kind: str
    due_date: date
    amount: int
    barred: bool = False
    """Time-barred: still owed, but not to be demanded."""


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as a message shows it, claims by due date.

    `credit` >= 0: credit notes and what was paid too much, minor units. `charges`: interest and cost among what is
    owed. `version` changes with every posting. `business`: the customer is none of the private persons whom more
    has to be told.
    """

    customer_name: str
    language: str
    currency: str
    owed: tuple[Owed, ...]
    credit: int
    version: int
    charges: int = 0
    business: bool = False

    @property
    def open_amount(self) -> int:
        """Minor units, never below 0."""
        return max(0, sum(claim.amount for claim in self.owed) - self.credit)


@dataclass(frozen=True, slots=True)
class Address:
    point_id: int
    value: str
    traced: bool = False
    """Found out, not given."""


def case_views(case_ids: Collection[int]) -> dict[int, CaseView]:
    """The cases of the creditor in scope; others are left out."""
    people = read_columns(
        f"""SELECT k.id, k.currency, c.name, c.language, c.kind
        FROM claims_case k JOIN claims_customer c ON c.id = k.customer_id
        WHERE +k.creditor_id = %s AND {in_clause("k.id", case_ids)}""",  # noqa: S608 - integers
        [creditor_id()],
    )
    rows = read_columns(
        f"""SELECT p.case_id, c.number, c.kind, c.due_date, CAST(SUM(p.amount) AS BIGINT) AS amount, MAX(p.id) AS last,
          CAST(SUM(CASE WHEN p.account IN ('principal', 'credit') THEN 0 ELSE p.amount END) AS BIGINT) AS charges
        FROM claims_posting p LEFT JOIN claims_claim c ON c.id = p.claim_id
        WHERE +p.creditor_id = %s AND {in_clause("p.case_id", case_ids)}
          AND p.account IN ({BALANCE_SQL})
        GROUP BY p.case_id, c.id, c.number, c.kind, c.due_date ORDER BY p.case_id, c.due_date, c.id""",  # noqa: S608
        [creditor_id()],
    )
    owed: dict[int, list[Owed]] = {}
    credit: dict[int, int] = {}
    version: dict[int, int] = {}
    charged: dict[int, int] = {}
    for case, number, kind, due, amount, last, charges in zip(
        *(values.tolist() for values in rows.values()), strict=True
    ):
        version[case] = max(last, version.get(case, 0))
        charged[case] = charged.get(case, 0) + charges
        if number is None or amount <= 0:
            credit[case] = credit.get(case, 0) - amount
        else:
            owed.setdefault(case, []).append(Owed(number, kind, date.fromisoformat(str(due)[:10]), amount))
    _mark_barred(owed)
    return {
        case: CaseView(
            name,
            language,
            currency,
            tuple(owed.get(case, ())),
            max(0, credit.get(case, 0)),
            version.get(case, 0),
            charged.get(case, 0),
            kind == Customer.Kind.BUSINESS,
        )
        for case, currency, name, language, kind in zip(
            *(values.tolist() for values in people.values()), strict=True
        )
    }


def _mark_barred(owed: dict[int, list[Owed]]) -> None:
    """Looks closer only at claims that are older than any limitation's shortest time."""
    old = clock.now().date() - SHORTEST
    for case, claims in owed.items():
        if claims[0].due_date < old:
            barred = {claim.number for claim in statement(case).claims if claim.barred}
            owed[case] = [replace(claim, barred=claim.number in barred) for claim in claims]


def addresses(customer_ids: Collection[int]) -> dict[tuple[int, str], Address]:
    """The working address of each (customer, channel), the oldest first."""
    rows = read_columns(
        f"""SELECT id, customer_id, channel, value, source FROM contact_contactpoint
        WHERE +creditor_id = %s AND {in_clause("customer_id", customer_ids)} AND state = %s
        ORDER BY id DESC""",  # noqa: S608 - integers
        [creditor_id(), ContactPoint.State.OK.value],
    )
    return {
        (customer, channel): Address(point, value, source == TRACED)
        for point, customer, channel, value, source in zip(
            *(values.tolist() for values in rows.values()), strict=True
        )
    }


def unchanged(case_id: int, version: int, point_id: int) -> bool:
    """Whether the case and the address still are as they were read."""
    rows = read_columns(
        f"""SELECT COALESCE((SELECT MAX(p.id) FROM claims_posting p WHERE p.case_id = k.id
            AND p.account IN ({BALANCE_SQL})), 0) AS version,
          (SELECT COUNT(*) FROM contact_contactpoint WHERE id = %s AND state = %s) AS points
        FROM claims_case k WHERE k.creditor_id = %s AND k.id = %s""",  # noqa: S608 - names of accounts
        [point_id, ContactPoint.State.OK.value, creditor_id(), case_id],
    )
    return bool(rows["version"].tolist() == [version] and rows["points"].tolist() == [1])
