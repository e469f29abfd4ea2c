"""The public sample of 2,466 invoices, with figures counted by awk in the file itself."""

import csv
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from django.db.models import Sum

from kulanz.claims.checks import check_ledger
from kulanz.claims.models import Case, Claim, Customer, Posting
from kulanz.intake import settlements
from kulanz.intake.actions import Options, import_file
from kulanz.tenancy.models import Creditor


@pytest.fixture
def ibm(data_dir: Path) -> Path:
    return data_dir / "receivables" / "ibm_accounts_receivable.csv"


def test_all_invoices_are_imported_once(ibm: Path, creditor: Creditor) -> None:
    with ibm.open(newline="") as file:
        total = sum(Decimal(row["InvoiceAmount"]) for row in csv.DictReader(file))
    report = import_file(ibm, Options())
    assert (report.imported, report.rejected, report.duplicates) == (2466, 0, 0)
    assert (Claim.objects.count(), Customer.objects.count(), Case.objects.count()) == (2466, 100, 100)
    owed = Posting.objects.filter(account="principal").aggregate(total=Sum("amount"))["total"]
    assert owed == total * 100
    assert set(Case.objects.values_list("currency", flat=True)) == {"USD"}
    assert set(Customer.objects.values_list("synthetic", flat=True)) == {True}
    assert (check_ledger().imbalances, check_ledger().differences) == (0, 0)
    again = import_file(ibm, Options())
    assert (again.imported, again.existing) == (0, 2466)


def test_the_past_is_read_for_the_simulated_customers_only(ibm: Path) -> None:
    past = settlements.read(ibm)
    assert past is not None
    assert len(past.numbers) == 2466
    first = past.numbers.index("0000611365")
    assert str(past.settled_on[first]) == "2013-01-15"
    late = (past.settled_on - past.due_on).astype(np.int64)
    with ibm.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert np.maximum(late, 0).tolist() == [int(row["DaysLate"]) for row in rows]
    assert past.disputed.tolist() == [row["Disputed"] == "Yes" for row in rows]


def test_another_file_has_no_past(data_dir: Path) -> None:
    assert settlements.read(data_dir / "receivables" / "uci_credit_card.csv") is None
