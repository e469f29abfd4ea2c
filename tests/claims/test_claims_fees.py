"""Charging fees: once, within the cap, by whom the law allows, in default, and never while fees rest."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction

from kulanz.claims import ledger
from kulanz.claims.actions import book_payment
from kulanz.claims.adjusting import Cause, correct
from kulanz.claims.checks import check_ledger
from kulanz.claims.fees import ACCOUNTS, charge
from kulanz.claims.holds import lift_hold, place_hold
from kulanz.claims.models import COSTS, Account, Case, Claim, Customer, Journal, Posting
from kulanz.claims.queries import open_amount
from kulanz.events.models import Event
from kulanz.kernel.clock import VirtualClock
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.law import fees
from kulanz.law.fee import OWN_DUNNING, FeeKind
from kulanz.law.figures.interest import Party
from kulanz.law.holds import HoldEffects
from kulanz.law.packs import load
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

DAY = date(2026, 3, 3)
NOW = datetime(2026, 3, 3, 8, tzinfo=UTC)
DE = load("DE")
LETTER = fees.reminder(DE, DAY, digital=False, documented=76)
LUMP = fees.lump_sum(DE, Party.BUSINESS, DAY)
COLLECTION = fees.collection(DE, 50_000, DAY)
SMALL = fees.collection(DE, 5_000, DAY)
DEAL = fees.settlement(DE, 50_000, DAY)
OF_KIND = {
    FeeKind.REMINDER: (LETTER, Account.COST_REMINDER, 76),
    FeeKind.LUMP_SUM: (LUMP, Account.COST_LUMP_SUM, 4000),
    FeeKind.COLLECTION: (COLLECTION, Account.COST_COLLECTION, 4635),
    FeeKind.EXPENSES: (fees.expenses(DE, COLLECTION, DAY), Account.COST_COLLECTION, 927),
    FeeKind.SETTLEMENT: (DEAL, Account.COST_PLAN, 3605),
    FeeKind.RETURN: (fees.returned(DE, DAY, 300), Account.COST_RETURN, 300),
}


@pytest.fixture
def claim(creditor: Creditor, make_case: Callable[..., Case]) -> Claim:
    """500.00 EUR owed by a business in default since 1 March, at a collector who takes the lump sum."""
    Creditor.objects.filter(id=creditor.id).update(role="collector", charges_lump_sum=True)
    case = make_case("K1", 50_000, kind="business")
    Claim.objects.filter(case=case).update(default_from=date(2026, 3, 1))
    found: Claim = Claim.objects.get(case=case)
    return found


def put(claim: Claim, fee: fees.Fee, key: str = "fee:1", on: date = DAY) -> int | None:
    return charge(claim.id, fee, key=key, value_date=on, by="strategy")


def costs(claim: Claim) -> dict[str, int]:
    """What is open on each cost account."""
    found: dict[str, int] = {}
    for account, amount in Posting.objects.filter(claim=claim, account__in=COSTS).values_list(
        "account", "amount"
    ):
        found[account] = found.get(account, 0) + amount
    return {account: amount for account, amount in found.items() if amount}


@pytest.mark.parametrize("kind", FeeKind)
def test_each_kind_has_an_account_of_its_own(claim: Claim, kind: FeeKind) -> None:
    fee, account, amount = OF_KIND[kind]
    journal = Journal.objects.get(id=put(claim, fee))
    lines = list(journal.postings.order_by("id").values_list("account", "amount", "claim_id", "basis"))
    assert lines == [(account, amount, claim.id, kind), (Account.EARNED, -amount, claim.id, kind)]
    assert ACCOUNTS[kind] == account
    assert (journal.kind, journal.value_date, journal.cause) == (Journal.Kind.COST, DAY, "strategy")
    assert open_amount(claim.case_id) == 50_000 + amount
    assert check_ledger().clean


def test_the_journal_says_how_the_amount_came_about(claim: Claim) -> None:
    journal = Journal.objects.get(id=put(claim, COLLECTION))
    assert journal.details == {
        "formula": "0.9 x 51.50",
        "inputs": {"value": "500.00", "full fee": "51.50", "factor": "0.9"},
        "source": "RVG section 13(1) and annex 2",
        "caveats": [
            [
                "collection cost",
                "2021-10-01",
                "House rule: the principal alone, without interest and cost; not seen in the law",
            ]
        ],
        "credited": 0,
    }
    event = Event.objects.get(type="fee.charged")
    assert (event.subject_id, event.payload) == (
        claim.id,
        {"case": claim.case_id, "amount": 4635, "journal": journal.id, "kind": "collection_cost"},
    )


def test_the_same_key_charges_once_and_another_amount_conflicts(claim: Claim) -> None:
    first = put(claim, LETTER)
    assert put(claim, LETTER) == first
    assert Event.objects.filter(type="fee.charged").count() == 1
    assert costs(claim) == {Account.COST_REMINDER: 76}
    with pytest.raises(ConflictError, match="posted before"):
        put(claim, fees.reminder(DE, DAY, digital=False, documented=77))
    with pytest.raises(ConflictError, match="posted before"):
        put(claim, LETTER, on=DAY + timedelta(days=1))


def test_what_was_charged_is_known_even_when_fees_rest_meanwhile(claim: Claim) -> None:
    first = put(claim, LETTER)
    place_hold(claim.case_id, "dispute", by="customer")
    assert put(claim, LETTER) == first


def test_nothing_to_charge_posts_nothing(claim: Claim) -> None:
    assert put(claim, fees.reminder(DE, DAY, digital=True)) is None
    assert not Journal.objects.filter(kind=Journal.Kind.COST).exists()
    assert not Event.objects.filter(type="fee.charged").exists()


def test_the_cap_is_the_last_cent(claim: Claim) -> None:
    with pytest.raises(InputError, match="more than the law allows"):
        put(claim, replace(COLLECTION, amount=4636))
    with pytest.raises(InputError, match="more than the law allows"):
        put(claim, replace(COLLECTION, amount=-1))
    with pytest.raises(InputError, match="more than the law allows"):
        put(claim, replace(LETTER, amount=1, cap=0))
    assert costs(claim) == {}
    put(claim, replace(COLLECTION, amount=1, cap=None))
    assert costs(claim) == {Account.COST_COLLECTION: 1}


def test_a_threat_cannot_be_posted(claim: Claim) -> None:
    with pytest.raises(AttributeError):
        put(claim, fees.unless_paid_by(COLLECTION, DAY))  # type: ignore[arg-type]  # what this is about
    assert costs(claim) == {}


def test_own_dunning_has_no_collectors_fees(claim: Claim) -> None:
    Creditor.objects.update(role="creditor")
    for kind, (fee, _, _) in OF_KIND.items():
        if kind in OWN_DUNNING:
            assert put(claim, fee, kind)
        else:
            with pytest.raises(InputError, match="only a registered collector"):
                put(claim, fee, kind)
    assert set(costs(claim)) == {Account.COST_REMINDER, Account.COST_LUMP_SUM, Account.COST_RETURN}


def test_consumers_owe_no_lump_sum_whatever_the_fee_says(claim: Claim) -> None:
    Customer.objects.update(kind="person")
    with pytest.raises(InputError, match="Consumers owe no lump sum"):
        put(claim, LUMP)
    assert put(claim, LETTER)


def test_a_creditor_may_do_without_the_lump_sum(claim: Claim) -> None:
    Creditor.objects.update(charges_lump_sum=False)
    with pytest.raises(InputError, match="charges no lump sum"):
        put(claim, LUMP)
    assert put(claim, LETTER)


def test_currencies_do_not_mix(claim: Claim) -> None:
    with pytest.raises(InputError, match="CHF is not charged on a case in EUR"):
        put(claim, replace(LETTER, currency="CHF"))


def test_a_delay_costs_nothing_before_it_begins(claim: Claim) -> None:
    with pytest.raises(ConflictError, match="not in default"):
        put(claim, LETTER, on=date(2026, 2, 28))
    assert put(claim, LETTER, on=date(2026, 3, 1))
    Claim.objects.update(default_from=None)
    for kind in set(FeeKind) - {FeeKind.RETURN}:
        with pytest.raises(ConflictError, match="not in default"):
            put(claim, OF_KIND[kind][0], kind)
    assert put(claim, OF_KIND[FeeKind.RETURN][0], "returned")


def test_fees_rest_with_the_hold_that_stops_them(claim: Claim, clock: VirtualClock) -> None:
    hold = place_hold(claim.case_id, "dispute", by="customer")
    for kind, (fee, _, _) in OF_KIND.items():
        with pytest.raises(ConflictError, match="Fees rest"):
            put(claim, fee, kind)
    assert costs(claim) == {}
    clock.advance(timedelta(days=3))
    lift_hold(hold.id, by="agent:1")
    for on in (DAY, DAY + timedelta(days=2)):
        with pytest.raises(ConflictError, match="Fees rest"):
            put(claim, LETTER, on=on)
    assert put(claim, LETTER, "before", DAY - timedelta(days=1))
    assert put(claim, LETTER, "after", DAY + timedelta(days=3))


def test_a_hold_until_midnight_covers_its_last_day(claim: Claim, clock: VirtualClock) -> None:
    """Midnight of 5 March in Berlin is 23:00 UTC the day before."""
    place_hold(claim.case_id, "promise", by="customer", until=datetime(2026, 3, 4, 23, tzinfo=UTC))
    clock.advance(timedelta(days=3))
    with pytest.raises(ConflictError, match="Fees rest"):
        put(claim, LETTER, on=date(2026, 3, 4))
    assert put(claim, LETTER, on=date(2026, 3, 5))


def test_a_hold_that_stops_only_contact_stops_no_fee(claim: Claim, make_case: Callable[..., Case]) -> None:
    place_hold(claim.case_id, "manual", by="agent:1", effects=HoldEffects(True, True, False))
    place_hold(make_case("K2").id, "dispute", by="customer")
    assert put(claim, LETTER)


@pytest.mark.parametrize(
    ("order", "open_costs"),
    [
        ([LUMP, COLLECTION], {Account.COST_LUMP_SUM: 4000, Account.COST_COLLECTION: 635}),
        ([COLLECTION, LUMP], {Account.COST_COLLECTION: 4635}),
        ([SMALL, LUMP], {Account.COST_COLLECTION: 3050, Account.COST_LUMP_SUM: 950}),
        ([LUMP, SMALL], {Account.COST_LUMP_SUM: 4000}),
        ([LUMP, LUMP], {Account.COST_LUMP_SUM: 4000}),
        (
            [LUMP, COLLECTION, DEAL],
            {Account.COST_LUMP_SUM: 4000, Account.COST_COLLECTION: 635, Account.COST_PLAN: 3605},
        ),
        (
            [SMALL, LUMP, DEAL],
            {Account.COST_COLLECTION: 3050, Account.COST_LUMP_SUM: 950, Account.COST_PLAN: 2655},
        ),
        ([LUMP, LETTER], {Account.COST_LUMP_SUM: 4000, Account.COST_REMINDER: 76}),
        ([LETTER, LUMP], {Account.COST_LUMP_SUM: 4000, Account.COST_REMINDER: 76}),
    ],
)
def test_lump_sum_and_legal_cost_are_credited_against_each_other(
    claim: Claim, order: list[fees.Fee], open_costs: dict[str, int]
) -> None:
    """The larger of 40.00 and the legal cost is owed, in whatever order they come: 40.00 + 6.35 = 46.35."""
    for number, fee in enumerate(order):
        put(claim, fee, f"fee:{number}")
    assert costs(claim) == open_costs


def test_crediting_is_kept_with_the_journal_and_counts_once(claim: Claim) -> None:
    put(claim, LUMP, "lump")
    first = put(claim, COLLECTION, "collection")
    details = Journal.objects.get(id=first).details
    assert (details["credited"], details["formula"]) == (4000, "0.9 x 51.50 - 40.00")
    assert put(claim, COLLECTION, "collection") == first
    assert put(claim, fees.credited(COLLECTION, 4000), "collection") == first
    assert put(claim, LUMP, "lump") == Journal.objects.get(key="lump").id
    assert costs(claim) == {Account.COST_LUMP_SUM: 4000, Account.COST_COLLECTION: 635}


def test_another_claim_of_the_case_has_a_lump_sum_of_its_own(
    claim: Claim, make_case: Callable[..., Case]
) -> None:
    make_case("K1", 9000, claim="R-2", kind="business")
    Claim.objects.update(default_from=date(2026, 3, 1))
    put(claim, LUMP)
    other = Claim.objects.get(number="R-2")
    put(other, LUMP, "fee:2")
    assert costs(other) == {Account.COST_LUMP_SUM: 4000}


def test_a_lump_sum_that_was_corrected_is_credited_no_more(claim: Claim) -> None:
    lump = put(claim, LUMP, "lump")
    assert lump
    wrong = correct(lump, Cause("c1", DAY, "agent:1"))
    put(claim, COLLECTION, "collection")
    assert costs(claim) == {Account.COST_COLLECTION: 4635}
    correct(wrong, Cause("c2", DAY, "agent:1"))
    put(claim, DEAL, "deal")
    assert costs(claim) == {Account.COST_LUMP_SUM: 4000, Account.COST_COLLECTION: 4635}


def test_fees_charged_since_a_moratorium_began_are_taken_back(claim: Claim) -> None:
    for number, on in enumerate((date(2026, 3, 1), date(2026, 3, 2), DAY)):
        put(claim, LETTER, f"fee:{number}", on)
    begins = datetime(2026, 3, 1, 23, tzinfo=UTC)
    for _ in range(2):
        place_hold(claim.case_id, "moratorium", by="agent:1", from_at=begins)
        assert costs(claim) == {Account.COST_REMINDER: 76}
    taken = Journal.objects.filter(kind=Journal.Kind.CORRECTION).order_by("id")
    assert [(each.value_date, each.cause) for each in taken] == [
        (date(2026, 3, 2), "agent:1"),
        (DAY, "agent:1"),
    ]
    place_hold(claim.case_id, "moratorium", by="agent:1", from_at=begins - timedelta(days=1))
    assert costs(claim) == {}
    assert check_ledger().clean


def test_a_moratorium_that_is_over_takes_back_only_its_own_days(claim: Claim) -> None:
    for number, on in enumerate((date(2026, 3, 1), date(2026, 3, 2), DAY)):
        put(claim, LETTER, f"fee:{number}", on)
    begins, ends = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 2, 23, tzinfo=UTC)
    place_hold(claim.case_id, "moratorium", by="agent:1", from_at=begins, until=ends)
    assert costs(claim) == {Account.COST_REMINDER: 76}
    with pytest.raises(ConflictError, match="Fees rest"):
        put(claim, LETTER, "late", date(2026, 3, 2))


def test_holds_that_do_not_reach_back_leave_earlier_fees_alone(claim: Claim) -> None:
    put(claim, LETTER)
    place_hold(claim.case_id, "dispute", by="customer")
    place_hold(claim.case_id, "insolvency", by="agent:1", effects=HoldEffects(True, True, False))
    assert costs(claim) == {Account.COST_REMINDER: 76}


def test_what_was_paid_on_a_fee_taken_back_settles_the_claim(claim: Claim) -> None:
    put(claim, LETTER, on=date(2026, 3, 2))
    book_payment(claim.case_id, 1000, value_date=DAY, key="p1", method="transfer")
    place_hold(claim.case_id, "deceased", by="agent:1", from_at=NOW - timedelta(days=2))
    assert costs(claim) == {}
    assert open_amount(claim.case_id) == 49_000


def test_a_fee_dated_before_a_payment_is_settled_by_it(claim: Claim) -> None:
    book_payment(claim.case_id, 1000, value_date=DAY, key="p1", method="transfer")
    put(claim, LETTER, on=date(2026, 3, 2))
    assert costs(claim) == {}
    assert open_amount(claim.case_id) == 49_076


def test_another_creditors_claim_is_not_there(claim: Claim, other_creditor: Creditor) -> None:
    with scope(other_creditor.id), pytest.raises(NotFoundError, match="no such claim"):
        put(claim, LETTER)
    assert ledger.posted("fee:1") is None


def test_a_hold_lifted_early_rests_fees_only_until_then(claim: Claim, clock: VirtualClock) -> None:
    hold = place_hold(claim.case_id, "promise", by="customer", until=NOW + timedelta(days=9))
    clock.advance(timedelta(days=2))
    lift_hold(hold.id, by="agent:1")
    clock.advance(timedelta(days=2))
    assert put(claim, LETTER, on=date(2026, 3, 6))


def test_costs_booked_without_a_calculation_count_in_full(claim: Claim) -> None:
    """A lump sum of 40.00 and legal cost of 10.00, taken over from elsewhere: 46.35 less 40.00."""
    for kind, amount in ((FeeKind.LUMP_SUM, 4000), (FeeKind.EXPENSES, 1000)):
        lines = (
            ledger.Line(ACCOUNTS[kind], amount, claim.id, kind),
            ledger.Line(Account.EARNED, -amount, claim.id, kind),
        )
        with transaction.atomic():
            ledger.post(ledger.Entry(f"old:{kind}", Journal.Kind.COST, claim.case_id, DAY, lines))
    put(claim, COLLECTION)
    assert costs(claim) == {Account.COST_LUMP_SUM: 4000, Account.COST_COLLECTION: 1000 + 635}
    assert put(claim, LUMP, "old:lump_sum") == Journal.objects.get(key="old:lump_sum").id
