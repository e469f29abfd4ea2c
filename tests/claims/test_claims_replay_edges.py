"""The replay alone, on facts written down by hand: no database, every balance worked out beside it."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from kulanz.claims.replay import Debt, Fact, FactLine, Movements, Place, Replayed, replay, spread

DUE = date(2026, 1, 20)


def day(n: int) -> date:
    return date(2026, 3, n)


def fact(order: int, n: int, kind: str, *lines: tuple[int | None, str, int], **more: int) -> Fact:
    return Fact(order, day(n), kind, tuple(FactLine(c, a, m, kind) for c, a, m in lines), **more)


def opened(order: int, n: int, claim: int, amount: int) -> Fact:
    return fact(order, n, "opened", (claim, "principal", amount), (claim, "invoiced", -amount))


def paid(order: int, n: int, amount: int, **more: int) -> Fact:
    return fact(order, n, "payment", (None, "received", amount), **more)


def returned(order: int, n: int, undoes: int) -> Fact:
    return fact(order, n, "payment_return", (None, "received", 0), undoes=undoes)


def debts(*claims: int, **more: object) -> list[Debt]:
    """Claims of the same terms, each due a day after the one before."""
    return [Debt(claim, DUE + timedelta(days=claim), **more) for claim in claims]  # type: ignore[arg-type]


def run(facts: Sequence[Fact], owed: Sequence[Debt]) -> Replayed:
    return replay(facts, owed, None, None)


def left(done: Replayed) -> dict[tuple[int | None, str], int]:
    """Balances that are not zero, without the counterpart of what was invoiced and received."""
    return {
        where: amount
        for where, amount in done.balances.items()
        if amount and where[1] not in ("invoiced", "received", "earned")
    }


def plain(lines: Sequence[FactLine]) -> list[tuple[int | None, str, int, str]]:
    return [(line.claim_id, line.account, line.amount, line.basis) for line in lines]


BALANCES: dict[tuple[int | None, str], int] = {
    (1, "principal"): 100,
    (1, "interest"): 3,
    (1, "cost_reminder"): 2,
    (1, "cost"): 5,
    (2, "principal"): 50,
}


def test_a_payment_is_spread_over_accounts_and_what_is_too_much_is_credit() -> None:
    assert plain(spread(165, debts(1, 2), BALANCES)) == [
        (None, "received", 165, "payment"),
        (1, "cost", -5, "payment"),
        (1, "cost_reminder", -2, "payment"),
        (1, "interest", -3, "payment"),
        (1, "principal", -100, "payment"),
        (2, "principal", -50, "payment"),
        (None, "credit", -5, "overpayment"),
    ]
    assert plain(spread(160, debts(1, 2), BALANCES))[-1] == (2, "principal", -50, "payment")
    assert plain(spread(51, debts(1, 2), BALANCES, designated=2)) == [
        (None, "received", 51, "payment"),
        (2, "principal", -50, "payment"),
        (1, "cost", -1, "payment"),
    ]


def test_a_consumer_loan_settles_its_principal_before_its_interest() -> None:
    assert plain(spread(108, debts(1, order="497"), {k: v for k, v in BALANCES.items() if k[0] == 1})) == [
        (None, "received", 108, "payment"),
        (1, "cost", -5, "payment"),
        (1, "cost_reminder", -2, "payment"),
        (1, "principal", -100, "payment"),
        (1, "interest", -1, "payment"),
    ]


def test_the_older_claim_first_whatever_its_number() -> None:
    owed = [Debt(1, DUE), Debt(2, DUE - timedelta(days=1))]
    assert [line.claim_id for line in spread(60, owed, BALANCES)[1:]] == [2, 1, 1, 1]


def test_what_was_paid_too_much_meets_the_next_claim_and_comes_back_with_a_return() -> None:
    """150 on 100: 50 in credit. A claim of 30 takes 30 of it. The payment goes back: 100 and 30 are owed again."""
    facts = [opened(1, 1, 1, 100), paid(2, 2, 150), opened(3, 4, 2, 30)]
    done = run(facts, debts(1, 2))
    assert left(done) == {(None, "credit"): -20}
    assert done.places == {
        Place(day(2), "payment", None, "received"): 150,
        Place(day(2), "payment", 1, "principal"): -100,
        Place(day(2), "overpayment", None, "credit"): -50,
        Place(day(4), "offset", None, "credit"): 30,
        Place(day(4), "offset", 2, "principal"): -30,
    }
    assert plain(done.lines[2])[-1] == (None, "credit", -50, "overpayment")
    assert set(done.lines) == {2}
    back = run([*facts, returned(4, 6, 2)], debts(1, 2))
    assert left(back) == {(1, "principal"): 100, (2, "principal"): 30}
    assert plain(back.lines[4]) == [
        (None, "received", -150, "payment_return"),
        (1, "principal", 100, "payment_return"),
        (None, "credit", 50, "payment_return"),
    ]
    assert back.places[Place(day(6), "offset", 2, "principal")] == 30
    assert back.places[Place(day(6), "offset", None, "credit")] == -30


def test_of_several_set_offs_the_last_one_is_taken_back_first() -> None:
    """Credit 70 from a payment of 80 on 10; 30 and 40 set off. A refund of 50 takes 40 from the later, 10 from the
    earlier one."""
    facts = [
        opened(1, 1, 1, 10),
        paid(2, 2, 80),
        opened(3, 3, 2, 30),
        opened(4, 4, 3, 40),
        fact(5, 5, "refund", (None, "credit", 50), (None, "received", -50)),
    ]
    assert left(run(facts[:4], debts(1, 2, 3))) == {}
    done = run(facts, debts(1, 2, 3))
    assert left(done) == {(2, "principal"): 10, (3, "principal"): 40}


def test_a_credit_note_settles_first_and_keeps_its_rest() -> None:
    note = Debt(9, DUE + timedelta(days=40), credit_note=True)
    facts = [opened(1, 1, 1, 100), opened(2, 2, 9, -140)]
    done = run(facts, [*debts(1), note])
    assert left(done) == {(9, "principal"): -40}
    assert done.places == {
        Place(day(2), "offset", 9, "principal"): 100,
        Place(day(2), "offset", 1, "principal"): -100,
    }
    with_credit = [paid(3, 3, 25), opened(4, 4, 2, 50)]
    done = run([*facts, *with_credit], [*debts(1, 2), note])
    assert left(done) == {(None, "credit"): -15}, "40 of the note, then 10 of what was paid"


def test_each_line_draws_on_what_the_lines_before_left_of_the_sources() -> None:
    """A note of 40 and 25 paid too much against 20 of cost, 20 of interest and 20 of principal: the note covers the
    first two, the money the last."""
    note = Debt(9, DUE + timedelta(days=40), credit_note=True)
    bill = fact(3, 4, "opened", (1, "cost", 20), (1, "interest", 20), (1, "principal", 20))
    facts = [opened(1, 1, 9, -40), paid(2, 2, 25), bill]
    done = run(facts, [*debts(1), note])
    assert left(done) == {(None, "credit"): -5}
    assert done.places[Place(day(4), "offset", 9, "principal")] == 40
    assert done.places[Place(day(4), "offset", None, "credit")] == 20
    refund = fact(4, 5, "refund", (None, "credit", 25), (None, "received", -25))
    assert left(run([*facts, refund], [*debts(1), note])) == {(1, "principal"): 20}


def test_an_older_note_is_used_up_before_a_younger_one() -> None:
    notes = [
        Debt(8, DUE + timedelta(days=2), credit_note=True),
        Debt(7, DUE + timedelta(days=3), credit_note=True),
    ]
    facts = [opened(1, 1, 7, -20), opened(2, 1, 8, -20), opened(3, 2, 1, 30)]
    assert left(run(facts, [*debts(1), *notes])) == {(7, "principal"): -10}


def test_more_credited_than_owed_becomes_credit_of_the_case() -> None:
    facts = [
        opened(1, 1, 1, 100),
        fact(2, 2, "credit_note", (1, "principal", -130), (1, "invoiced", 130)),
    ]
    done = run(facts, debts(1))
    assert left(done) == {(None, "credit"): -30}
    assert done.places == {
        Place(day(2), "offset", 1, "principal"): 30,
        Place(day(2), "offset", None, "credit"): -30,
    }


@pytest.mark.parametrize("kind", ["waiver", "discount", "write_off", "transfer"])
def test_nothing_is_taken_away_that_does_not_stand_there(kind: str) -> None:
    """60 of 100 are open; 5 of cost were never charged: the first counterpart shrinks by 5, then by 40."""
    facts = [
        opened(1, 1, 1, 100),
        paid(2, 2, 40),
        fact(
            3,
            3,
            kind,
            (1, "cost", -5),
            (1, "waived", 5),
            (1, "principal", -100),
            (1, "waived", 100),
            (1, "earned", 0),
        ),
    ]
    done = run(facts, debts(1))
    assert plain(done.lines[3]) == [(1, "principal", -60, kind), (1, "waived", 60, kind)]
    assert left(done) == {(1, "waived"): 60}
    assert done.places[Place(day(3), kind, 1, "principal")] == -60


def test_a_cent_that_is_not_open_is_not_waived() -> None:
    waiver = fact(2, 2, "waiver", (1, "interest", -1), (1, "waived", 1))
    done = run([opened(1, 1, 1, 100), waiver], debts(1))
    assert done.lines[2] == ()
    assert left(done) == {(1, "principal"): 100}


def test_money_beyond_what_was_written_off_is_credit() -> None:
    facts = [
        opened(1, 1, 1, 100),
        fact(2, 2, "write_off", (1, "principal", -100), (1, "written_off", 100)),
        fact(3, 3, "recovery", (1, "received", 120), (1, "written_off", -120)),
    ]
    done = run(facts, debts(1))
    assert plain(done.lines[3]) == [
        (1, "received", 120, "recovery"),
        (1, "written_off", -100, "recovery"),
        (None, "credit", -20, "overpayment"),
    ]
    exact = [*facts[:2], fact(3, 3, "recovery", (1, "received", 100), (1, "written_off", -100))]
    assert plain(run(exact, debts(1)).lines[3]) == [
        (1, "received", 100, "recovery"),
        (1, "written_off", -100, "recovery"),
    ]
    assert left(run(exact, debts(1))) == {}


def test_a_cent_is_recovered_and_lines_of_nothing_stay_as_they_are() -> None:
    written = [
        opened(1, 1, 1, 100),
        fact(2, 2, "write_off", (1, "principal", -100), (1, "written_off", 100)),
    ]
    cent = fact(3, 3, "recovery", (1, "received", 1), (1, "written_off", -1), (1, "earned", 0))
    assert plain(run([*written, cent], debts(1)).lines[3]) == [
        (1, "received", 1, "recovery"),
        (1, "written_off", -1, "recovery"),
    ]


def test_a_return_of_an_unknown_payment_stands_as_it_was_booked() -> None:
    facts = [
        opened(1, 1, 1, 100),
        fact(2, 2, "payment_return", (None, "received", -10), (1, "principal", 10), undoes=77),
    ]
    done = run(facts, debts(1))
    assert left(done) == {(1, "principal"): 110}
    assert plain(done.lines[2]) == [
        (None, "received", -10, "payment_return"),
        (1, "principal", 10, "payment_return"),
    ]


def test_facts_of_one_day_count_in_the_order_of_booking_and_days_before_that() -> None:
    """Claim 2 is older; booked first on the same day as the payment, it is there; booked after it, it is not."""
    older = [Debt(1, DUE), Debt(2, DUE - timedelta(days=9))]
    there = [opened(1, 1, 1, 100), opened(2, 5, 2, 100), paid(3, 5, 100)]
    assert left(run(there, older)) == {(1, "principal"): 100}
    later = [opened(1, 1, 1, 100), paid(2, 5, 100), opened(3, 5, 2, 100)]
    assert left(run(later, older)) == {(2, "principal"): 100}
    assert left(run(later[::-1], older)) == {(2, "principal"): 100}


def test_a_claim_is_there_for_payments_booked_after_it_even_if_they_count_earlier() -> None:
    facts = [opened(1, 9, 1, 100), paid(2, 5, 30), paid(3, 7, 30)]
    done = run(facts, debts(1))
    assert left(done) == {(1, "principal"): 40}
    assert done.places[Place(day(5), "payment", 1, "principal")] == -30
    assert Place(day(5), "overpayment", None, "credit") not in done.places
    before = run([paid(1, 5, 30), opened(2, 9, 1, 100)], debts(1))
    assert before.places[Place(day(5), "overpayment", None, "credit")] == -30
    assert before.places[Place(day(9), "offset", 1, "principal")] == -30


def per_day(claim: int, movements: Movements, until: date) -> int:
    """One unit per hundred of principal for each day from 3 March on."""
    total = 0
    for n in range(3, until.day + 1):
        total += sum(amount for on, amount in movements if on <= day(n)) // 100
    return total


BEARS = {"default_from": day(3)}


def test_interest_is_charged_where_it_decides_something_and_at_the_end() -> None:
    """200 bear 2 a day from the 3rd: 6 until the 5th. 106 settle these and 100, which bear 1 a day from the 5th on:
    until the 10th 2 + 2 + 6 x 1 = 10, of which 4 are open."""
    facts = [opened(1, 1, 1, 200), paid(2, 5, 106)]
    done = replay(facts, debts(1, **BEARS), per_day, day(10))
    assert done.interest == {(1, day(5)): 6, (1, day(10)): 10}
    assert plain(done.lines[2]) == [
        (None, "received", 106, "payment"),
        (1, "interest", -6, "payment"),
        (1, "principal", -100, "payment"),
    ]
    assert left(done) == {(1, "principal"): 100, (1, "interest"): 4}


def test_before_default_and_without_it_nothing_is_charged() -> None:
    facts = [opened(1, 1, 1, 200), opened(2, 1, 2, 200)]
    owed = [*debts(1, **BEARS), *debts(2)]
    assert replay(facts, owed, per_day, day(2)).interest == {}
    assert replay(facts, owed, per_day, None).interest == {}
    first = replay(facts, owed, per_day, day(3))
    assert first.interest == {(1, day(3)): 2}
    assert left(first) == {(1, "principal"): 200, (1, "interest"): 2, (2, "principal"): 200}
    assert replay(facts, owed, None, day(9)).interest == {}


@pytest.mark.parametrize(
    ("kind", "charged"), [("waiver", True), ("write_off", True), ("cost", False), ("credit_note", False)]
)
def test_only_what_asks_for_interest_has_it_charged(kind: str, charged: bool) -> None:
    facts = [opened(1, 1, 1, 200), fact(2, 5, kind, (1, "principal", -10), (1, "waived", 10))]
    assert bool(replay(facts, debts(1, **BEARS), per_day, None).interest) is charged


def test_a_set_off_has_interest_charged_up_to_its_day() -> None:
    note = Debt(9, DUE + timedelta(days=40), credit_note=True)
    facts = [opened(1, 1, 1, 200), opened(2, 5, 9, -50)]
    done = replay(facts, [*debts(1, **BEARS), note], per_day, None)
    assert done.interest[1, day(5)] == 6
    assert done.places[Place(day(5), "offset", 1, "interest")] == -6
    assert done.places[Place(day(5), "offset", 1, "principal")] == -44
