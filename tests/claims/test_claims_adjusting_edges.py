"""Every line, basis and event of a changed claim, and every refusal in its own words."""

from datetime import date
from typing import Any

import pytest

from kulanz.claims import adjusting
from kulanz.claims.actions import book_payment
from kulanz.claims.adjusting import Cause
from kulanz.claims.models import Account, Claim, Journal, Posting
from kulanz.events.models import Event
from kulanz.kernel.errors import InputError, NotFoundError

DAY = date(2026, 3, 3)


@pytest.fixture
def claim(creditor, make_case) -> Claim:
    """One claim of 100.00 EUR."""
    return Claim.objects.get(case=make_case("K1", 10000, date(2026, 2, 20)))


def cause(key: str) -> Cause:
    return Cause(key, DAY, "agent:1")


def lines(journal: int) -> list[tuple[int | None, str, int, str]]:
    rows = Posting.objects.filter(journal_id=journal).order_by("id")
    return [(p.claim_id, p.account, p.amount, p.basis) for p in rows]


def told(journal: int) -> tuple[str, int, dict[str, Any]]:
    (event,) = [e for e in Event.objects.all() if e.payload.get("journal") == journal]
    return event.type, event.subject_id, event.payload


def head(journal: int) -> tuple[str, str, date, str, dict[str, Any]]:
    found = Journal.objects.get(id=journal)
    return found.key, found.kind, found.value_date, found.cause, found.details


def check(journal: int, kind: str, event: str, amount: int, case: int, wanted: list[tuple[Any, ...]]) -> None:
    key = Journal.objects.get(id=journal).key
    assert head(journal) == (key, kind, DAY, "agent:1", {})
    assert lines(journal) == wanted
    assert told(journal) == (event, case, {"journal": journal, "amount": amount, "currency": "EUR"})


def test_a_credit_note_and_a_waiver_line_by_line(claim: Claim) -> None:
    me, case = claim.id, claim.case_id
    check(
        adjusting.credit(me, 1000, cause("c")),
        "credit_note",
        "claim.credited",
        1000,
        case,
        [(me, "principal", -1000, "credit_note"), (me, "invoiced", 1000, "credit_note")],
    )
    check(
        adjusting.waive(me, Account.PRINCIPAL, 1, cause("w")),
        "waiver",
        "claim.waived",
        1,
        case,
        [(me, "principal", -1, "waiver"), (me, "waived", 1, "waiver")],
    )


def test_a_write_off_and_what_is_recovered_line_by_line(claim: Claim) -> None:
    me, case = claim.id, claim.case_id
    check(
        adjusting.write_off(me, cause("o")),
        "write_off",
        "claim.written_off",
        10000,
        case,
        [(me, "principal", -10000, "write_off"), (me, "written_off", 10000, "write_off")],
    )
    check(
        adjusting.recover(me, 10000, cause("r")),
        "recovery",
        "claim.recovered",
        10000,
        case,
        [(me, "received", 10000, "recovery"), (me, "written_off", -10000, "recovery")],
    )


def test_a_hand_over_and_its_return_line_by_line(claim: Claim) -> None:
    me, case = claim.id, claim.case_id
    check(
        adjusting.transfer(me, cause("t")),
        "transfer",
        "claim.transferred",
        10000,
        case,
        [(me, "principal", -10000, "transfer"), (me, "transferred", 10000, "transfer")],
    )
    check(
        adjusting.recall(me, cause("b")),
        "transfer",
        "claim.recalled",
        10000,
        case,
        [(me, "principal", 10000, "transfer"), (me, "transferred", -10000, "transfer")],
    )


def test_a_discount_and_a_refund_line_by_line(claim: Claim, make_case) -> None:
    me, case = claim.id, claim.case_id
    book_payment(case, 9000, value_date=DAY, key="p", method="transfer")
    check(
        adjusting.discount(case, cause("d")),
        "discount",
        "claim.discounted",
        1000,
        case,
        [(me, "principal", -1000, "discount"), (me, "discounted", 1000, "discount")],
    )
    book_payment(case, 500, value_date=DAY, key="p2", method="transfer")
    check(
        adjusting.refund(case, 500, cause("f")),
        "refund",
        "credit.refunded",
        500,
        case,
        [(None, "credit", 500, "refund"), (None, "received", -500, "refund")],
    )


def test_a_write_off_takes_its_own_claim_and_a_discount_all(claim: Claim, make_case) -> None:
    make_case("K1", 700, date(2026, 2, 25), claim="R2")
    other = Claim.objects.get(number="R2")
    written = adjusting.write_off(other.id, cause("o"))
    assert [(who, amount) for who, _, amount, _ in lines(written)] == [(other.id, -700), (other.id, 700)]
    rest = adjusting.discount(claim.case_id, cause("d"))
    assert {who for who, *_ in lines(rest)} == {claim.id}
    with pytest.raises(InputError):
        adjusting.write_off(other.id, cause("o2"))


def test_a_hand_over_leaves_the_other_claims_of_a_case_alone(claim: Claim, make_case) -> None:
    make_case("K1", 700, date(2026, 2, 25), claim="R2")
    handed = adjusting.transfer(claim.id, cause("t"))
    assert [(who, amount) for who, _, amount, _ in lines(handed)] == [(claim.id, -10000), (claim.id, 10000)]


def test_a_correction_names_what_it_corrects(claim: Claim) -> None:
    wrong = adjusting.credit(claim.id, 1000, cause("c"))
    journal = adjusting.correct(wrong, cause("x"))
    assert head(journal) == ("x", "correction", DAY, "agent:1", {"corrects": wrong})
    assert lines(journal) == [
        (claim.id, "principal", 1000, "correction"),
        (claim.id, "invoiced", -1000, "correction"),
    ]
    assert told(journal)[0] == "ledger.corrected"
    back = adjusting.correct(journal, cause("y"))
    assert [amount for *_, amount, _ in lines(back)] == [-1000, 1000]


def test_the_same_cause_again_is_told_once(claim: Claim) -> None:
    me, case = claim.id, claim.case_id
    book_payment(case, 2000, value_date=DAY, key="p", method="transfer")
    for act in (
        lambda: adjusting.credit(me, 8500, cause("c")),
        lambda: adjusting.refund(case, 500, cause("f")),
    ):
        first = act()
        assert act() == first
        assert told(first)[2]["journal"] == first


def test_each_refusal_says_what_is_there(claim: Claim) -> None:
    me, case = claim.id, claim.case_id
    book_payment(case, 10300, value_date=DAY, key="p", method="transfer")
    paid = Journal.objects.get(key="p").id
    nothing = 10**9
    for act, error, words in (
        (
            lambda: adjusting.waive(me, Account.PRINCIPAL, 1, cause("n")),
            InputError,
            "Only 0 is open there (minor units); 1 cannot be waived.",
        ),
        (
            lambda: adjusting.waive(me, "received", 1, cause("n")),
            InputError,
            "'received' is no account on which something is owed: principal, interest, cost, "
            "cost_reminder, cost_lump_sum, cost_collection, cost_return, cost_court, cost_plan.",
        ),
        (
            lambda: adjusting.recover(me, 1, cause("n")),
            InputError,
            "Only 0 was written off (minor units); book the rest as a payment.",
        ),
        (
            lambda: adjusting.refund(case, 301, cause("n")),
            InputError,
            "Only 300 stands in credit (minor units); 301 cannot be sent back.",
        ),
        (lambda: adjusting.write_off(me, cause("n")), InputError, "Nothing is open there any more."),
        (lambda: adjusting.recall(me, cause("n")), InputError, "Nothing of this claim is handed over."),
        (
            lambda: adjusting.correct(paid, cause("n")),
            InputError,
            "A journal of kind payment is not corrected by its opposite; see the ledger's guide.",
        ),
        (lambda: adjusting.credit(me, 0, cause("n")), InputError, "An amount is more than zero."),
        (lambda: adjusting.correct(nothing, cause("n")), NotFoundError, "There is no such journal."),
        (lambda: adjusting.write_off(nothing, cause("n")), NotFoundError, "There is no such claim."),
        (lambda: adjusting.discount(nothing, cause("n")), NotFoundError, "There is no such case."),
    ):
        with pytest.raises(error) as refused:
            act()
        assert str(refused.value) == words
    assert not Journal.objects.filter(key="n").exists()
    assert adjusting.refund(case, 300, cause("f"))


def test_each_case_and_claim_has_its_own_credit_and_write_off(claim: Claim, make_case) -> None:
    other_case = make_case("K2", 100, date(2026, 2, 25)).id
    book_payment(other_case, 150, value_date=DAY, key="p2", method="transfer")
    with pytest.raises(InputError, match="Only 0 stands in credit"):
        adjusting.refund(claim.case_id, 1, cause("f"))
    make_case("K1", 700, date(2026, 2, 25), claim="R2")
    second = Claim.objects.get(number="R2")
    adjusting.write_off(claim.id, cause("o"))
    with pytest.raises(InputError, match="Only 0 was written off"):
        adjusting.recover(second.id, 1, cause("r"))
    adjusting.transfer(second.id, cause("t"))
    with pytest.raises(InputError, match="Nothing of this claim is handed over"):
        adjusting.recall(claim.id, cause("b"))


def test_all_of_a_write_off_is_recovered_once_to_the_last_cent(claim: Claim) -> None:
    adjusting.write_off(claim.id, cause("o"))
    adjusting.recover(claim.id, 1, cause("r1"))
    rest = adjusting.recover(claim.id, 9999, cause("r2"))
    assert adjusting.recover(claim.id, 9999, cause("r2")) == rest
    with pytest.raises(InputError, match="Only 0 was written off"):
        adjusting.recover(claim.id, 1, cause("r3"))


def test_nothing_is_waived_on_an_account_that_was_never_charged(claim: Claim) -> None:
    with pytest.raises(InputError, match="Only 0 is open there"):
        adjusting.waive(claim.id, Account.INTEREST, 1, cause("w"))


def test_what_follows_from_a_change_names_its_cause(claim: Claim) -> None:
    book_payment(claim.case_id, 2000, value_date=DAY, key="p", method="transfer")
    adjusting.credit(claim.id, 8500, cause("c"))
    (offset,) = Journal.objects.filter(kind="offset")
    assert offset.details == {"because": "c"}


def test_the_last_cent_is_written_off_as_well(claim: Claim) -> None:
    book_payment(claim.case_id, 9999, value_date=DAY, key="p", method="transfer")
    assert [amount for _, _, amount, _ in lines(adjusting.write_off(claim.id, cause("o")))] == [-1, 1]
