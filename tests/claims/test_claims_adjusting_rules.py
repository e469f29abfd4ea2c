"""Whatever is done to a claim, in whatever order and however often it is told: no cent appears or is lost."""

from collections.abc import Callable
from datetime import date

from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kulanz.claims import adjusting
from kulanz.claims.actions import book_payment
from kulanz.claims.adjusting import Cause
from kulanz.claims.checks import check_ledger
from kulanz.claims.models import OWED, Account, Claim, Journal, Posting
from kulanz.kernel.errors import InputError

DAY = date(2026, 3, 3)
AMOUNT = 10_000
SUMS = (1, 2, 5_000, 9_999, 10_000, 10_001)
"""Beside what is owed, by a cent either way."""
ACTS = ("pay", "credit", "waive", "discount", "write_off", "recover", "transfer", "recall", "refund")


def balances() -> dict[str, int]:
    found = dict.fromkeys(Account.values, 0)
    for account, amount in Posting.objects.values_list("account", "amount"):
        found[account] += amount
    return found


def call(name: str, amount: int, key: str, claim: Claim) -> Callable[[], int]:
    cause = Cause(key, DAY, "agent:1")
    return {
        "pay": lambda: book_payment(claim.case_id, amount, value_date=DAY, key=key, method="x").journal_id,
        "credit": lambda: adjusting.credit(claim.id, amount, cause),
        "waive": lambda: adjusting.waive(claim.id, Account.PRINCIPAL, amount, cause),
        "discount": lambda: adjusting.discount(claim.case_id, cause),
        "write_off": lambda: adjusting.write_off(claim.id, cause),
        "recover": lambda: adjusting.recover(claim.id, amount, cause),
        "transfer": lambda: adjusting.transfer(claim.id, cause),
        "recall": lambda: adjusting.recall(claim.id, cause),
        "refund": lambda: adjusting.refund(claim.case_id, amount, cause),
    }[name]


def do(name: str, amount: int, key: str, claim: Claim) -> bool:
    """Whether it could be done; then telling it once more changes nothing."""
    before, journals = balances(), Journal.objects.count()
    act = call(name, amount, key, claim)
    try:
        journal = act()
    except InputError:
        assert (balances(), Journal.objects.count()) == (before, journals)
        return False
    after, journals = balances(), Journal.objects.count()
    assert act() == journal
    assert (balances(), Journal.objects.count()) == (after, journals)
    return True


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(acts=[("write_off", 1), ("recover", 10_001)])
@example(acts=[("write_off", 1), ("recover", 9_999), ("recover", 2)])
@example(acts=[("pay", 10_001), ("refund", 2)])
@example(acts=[("transfer", 1), ("recall", 1), ("recall", 1), ("waive", 10_001)])
@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(SUMS)), max_size=10))
def test_what_was_invoiced_is_somewhere(creditor, make_case, acts: list[tuple[str, int]]) -> None:
    with transaction.atomic():
        claim = Claim.objects.get(case=make_case("K1", AMOUNT))
        came, sent, credited = 0, 0, 0
        for number, (name, amount) in enumerate(acts):
            if do(name, amount, f"act:{number}", claim):
                came += amount if name in ("pay", "recover") else 0
                sent += amount if name == "refund" else 0
                credited += amount if name == "credit" else 0
            now = balances()
            gone = sum(
                now[each] for each in ("received", "waived", "discounted", "written_off", "transferred")
            )
            assert now["received"] == came - sent
            assert -now["invoiced"] == AMOUNT - credited
            assert sum(now[each] for each in OWED) + now["credit"] + gone == AMOUNT - credited
            assert all(
                now[each] >= 0 for each in (*OWED, "waived", "discounted", "written_off", "transferred")
            )
            assert now["credit"] <= 0
        assert check_ledger().clean
        transaction.set_rollback(True)
