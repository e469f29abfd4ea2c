"""The accrual run under the installation's own rows of law: what is missing stops nobody else, what is added counts."""

from collections.abc import Callable
from datetime import date

import pytest

from kulanz.claims.accrual import accrue
from kulanz.claims.defaulting import set_default
from kulanz.claims.models import Case, Claim, Journal, Posting
from kulanz.law.packs import AddedRow
from kulanz.tenancy import law
from kulanz.tenancy.models import Creditor

FIRST, DAY = date(2026, 2, 21), date(2026, 3, 3)


@pytest.fixture
def late(creditor: Creditor, make_case: Callable[..., Case]) -> Callable[..., Case]:
    """Opens a claim of 100,000.00 in default from 21 February 2026 on; ten days are over on 3 March."""
    creditor.charges_interest = True
    creditor.save()

    def opened(number: str, kind: str = "person", jurisdiction: str = "DE") -> Case:
        case = make_case(number, amount=10_000_000, kind=kind)
        Claim.objects.filter(case_id=case.id).update(jurisdiction=jurisdiction)
        set_default(Claim.objects.get(case_id=case.id).id, FIRST, "test")
        return case

    return opened


def interest(case: Case) -> int:
    rows = Posting.objects.filter(case_id=case.id, account="interest", journal__kind="interest")
    return sum(rows.values_list("amount", flat=True))


def test_a_claim_without_a_base_rate_does_not_stop_the_others(late: Callable[..., Case]) -> None:
    """8 points over the Bank of England's rate, which is in no pack: 10 days at 11.75 % of 365 once it is added."""
    german, british = late("K1"), late("K2", "business", "UK")
    done = accrue(DAY)
    assert (done.claims, done.posted, done.without_rate) == (2, 1, 1)
    assert (interest(german), interest(british)) == (17_178, 0)
    row = {"valid_from": "2026-02-05", "percent": "3.75", "source": "own", "verified": True}
    law.add_row("UK", AddedRow("base_rates", row, date(2026, 12, 31)), by="olga")
    again = accrue(DAY)
    assert (again.posted, again.without_rate) == (1, 0)
    assert interest(british) == 32_192  # 10,000,000 x 11.75 % x 10 / 365 = 32,191.78


def test_a_day_count_that_was_added_holds_for_debts_that_arose_later(late: Callable[..., Case]) -> None:
    """The claim arose on 6 February 2026: the row of 1 February covers it, that of 1 March does not."""
    case = late("K1")
    row = {"valid_from": "2026-02-01", "day_count": "30/360", "source": "own", "verified": True}
    law.add_row("DE", AddedRow("day_counts", row), by="olga")
    law.add_row(
        "DE", AddedRow("day_counts", row | {"valid_from": "2026-03-01", "day_count": "act/365"}), by="olga"
    )
    accrue(DAY)
    assert Journal.objects.get(kind="interest").details["day_count"] == "30/360"
    assert (
        interest(case) == 20_900
    )  # 21 February to 2 March are 12 days of 360: 10,000,000 x 6.27 % x 12 / 360
