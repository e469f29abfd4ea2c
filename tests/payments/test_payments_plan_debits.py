"""Mandates and the debits by them: announced in time, never more than is owed, returned ones counted as missed."""

from datetime import date, timedelta

import pytest

from kulanz.claims.actions import book_payment
from kulanz.claims.holds import place_hold
from kulanz.events.models import Event
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.payments import mandates
from kulanz.payments.mandates import AccountError, Fault
from kulanz.payments.models import DirectDebit, Mandate, Payment, Plan, PlanPolicy
from kulanz.payments.plans import actions, collecting
from kulanz.payments.plans.actions import Agreement
from kulanz.payments.plans.advancing import check_plans
from kulanz.payments.plans.queries import standing
from kulanz.payments.plans.rules import Proposal, Rhythm
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

TODAY = date(2026, 3, 3)
ACCOUNT = mandates.Account("Erika Beispiel", "DE89370400440532013000", "COBADEFFXXX")
APRIL = Proposal(Rhythm.MONTHLY, date(2026, 4, 1), rate=5000)


@pytest.fixture
def case(creditor, make_case):
    Creditor.objects.filter(id=creditor.id).update(creditor_identifier="DE98ZZZ09999999999")
    return make_case("K1", 10000, date(2026, 2, 20))


@pytest.fixture
def plan(case) -> Plan:
    return actions.agree(case.id, APRIL, Agreement(10000, "form-0001", account=ACCOUNT))


def on(clock, day: date) -> None:
    clock.advance(day - clock.at.date())
    check_plans()


def due(day: date) -> list[tuple[int, str, date]]:
    return [(each.amount, each.mandate, each.collect_on) for each in collecting.due_debits(day)]


def only() -> DirectDebit:
    return DirectDebit.objects.get()


def announced(clock, day: date = date(2026, 3, 12)) -> int:
    on(clock, day)
    return only().id


def test_a_rate_is_announced_fourteen_days_before_or_earlier(case, plan, clock) -> None:
    assert not DirectDebit.objects.exists(), "on 3 March, 1 April is too far away"
    on(clock, date(2026, 3, 10))
    assert not DirectDebit.objects.exists()
    on(clock, date(2026, 3, 11))
    debit = only()
    assert (debit.amount, debit.collect_on) == (5000, date(2026, 4, 1))
    assert Event.objects.get(type="debit.announced").payload == {
        "debit": debit.id,
        "plan": plan.id,
        "amount": 5000,
        "on": "2026-04-01",
    }
    on(clock, date(2026, 3, 12))
    assert DirectDebit.objects.count() == 1


def test_a_first_rate_too_soon_to_announce_is_collected_later_and_not_missed(case, clock) -> None:
    soon = Proposal(Rhythm.MONTHLY, date(2026, 3, 5), rate=5000)
    actions.agree(case.id, soon, Agreement(10000, "form-0001", account=ACCOUNT))
    assert only().collect_on == date(2026, 3, 17)
    on(clock, date(2026, 3, 16))
    assert not Event.objects.filter(type="plan.rate_missed").exists()


def test_a_shorter_announcement_is_what_was_agreed(case, creditor) -> None:
    PlanPolicy.objects.create(creditor_id=creditor.id, notice_days=5)
    soon = Proposal(Rhythm.MONTHLY, date(2026, 3, 5), rate=5000)
    plan = actions.agree(case.id, soon, Agreement(10000, "form-0001", account=ACCOUNT))
    assert (plan.mandate.notice_days, only().collect_on) == (5, date(2026, 3, 9))


def test_a_rate_due_on_good_friday_is_collected_after_easter_and_not_missed(case, clock) -> None:
    easter = Proposal(Rhythm.MONTHLY, date(2026, 4, 3), rate=5000)
    actions.agree(case.id, easter, Agreement(10000, "form-0001", account=ACCOUNT))
    on(clock, date(2026, 3, 20))
    assert only().collect_on == date(2026, 4, 7)
    on(clock, date(2026, 4, 7))
    assert not Event.objects.filter(type="plan.rate_missed").exists()


def test_what_the_file_needs_and_nothing_before_its_day(case, plan, clock) -> None:
    debit_id = announced(clock)
    assert collecting.due_debits(date(2026, 3, 31)) == ()
    (found,) = collecting.due_debits(date(2026, 4, 1))
    assert found == collecting.DueDebit(
        debit_id=debit_id,
        case_id=case.id,
        amount=5000,
        currency="EUR",
        collect_on=date(2026, 4, 1),
        mandate=f"M-{case.customer_id}-1",
        signed_on=TODAY,
        holder="Erika Beispiel",
        iban="DE89370400440532013000",
        bic="COBADEFFXXX",
        first=True,
    )
    collecting.submitted(debit_id)
    collecting.submitted(debit_id)
    assert collecting.due_debits(date(2026, 4, 1)) == ()
    assert Mandate.objects.get().last_used_at is not None


def test_collected_money_is_booked_once_for_its_rate(case, plan, clock) -> None:
    debit_id = announced(clock)
    on(clock, date(2026, 4, 1))
    collecting.submitted(debit_id)
    for _ in range(2):
        collecting.collected(debit_id, date(2026, 4, 1), "BANK-1")
    assert [(p.method, p.amount) for p in Payment.objects.all()] == [("sepa_debit", 5000)]
    assert standing(plan, date(2026, 4, 1)).rates[0].paid_on == date(2026, 4, 1)


def test_a_returned_debit_counts_as_missed_and_is_not_tried_again(case, plan, clock) -> None:
    debit_id = announced(clock)
    on(clock, date(2026, 4, 1))
    collecting.submitted(debit_id)
    collecting.collected(debit_id, date(2026, 4, 1), "BANK-1")
    on(clock, date(2026, 4, 6))
    for _ in range(2):
        collecting.returned(debit_id, date(2026, 4, 6))
    assert Event.objects.get(type="plan.rate_missed").payload == {
        "plan": plan.id,
        "rate": 1,
        "amount": 5000,
        "until": "2026-04-13",
    }
    on(clock, date(2026, 4, 10))
    assert not DirectDebit.objects.filter(rate__number=1, state="announced").exists()
    on(clock, date(2026, 4, 14))
    plan.refresh_from_db()
    assert plan.state == Plan.State.BROKEN


def test_a_debit_the_bank_never_carried_out_is_missed_from_its_day_on(case, plan, clock) -> None:
    debit_id = announced(clock)
    on(clock, date(2026, 4, 2))
    collecting.submitted(debit_id)
    collecting.returned(debit_id, date(2026, 4, 2))
    assert Event.objects.get(type="plan.rate_missed").payload["until"] == "2026-04-09"


def test_a_rate_paid_otherwise_is_not_collected_and_a_part_only_in_its_rest(case, plan, clock) -> None:
    announced(clock)
    book_payment(case.id, 2000, value_date=date(2026, 3, 12), key="p1", method="psp")
    assert [amount for amount, _, _ in due(date(2026, 4, 1))] == [3000]
    book_payment(case.id, 3000, value_date=date(2026, 3, 12), key="p2", method="psp")
    assert due(date(2026, 4, 1)) == []


@pytest.mark.parametrize("reason", ["dispute", "insolvency", "hardship"])
def test_nothing_is_collected_while_something_else_rests_the_case(case, plan, clock, reason) -> None:
    announced(clock)
    place_hold(case.id, reason, by="agent:1")
    assert due(date(2026, 4, 1)) == []


def test_a_pause_a_revocation_and_the_end_of_the_plan_drop_what_was_announced(case, plan, clock) -> None:
    debit_id = announced(clock)
    actions.pause(plan.id)
    assert only().state == "cancelled"
    with pytest.raises(ConflictError):
        collecting.submitted(debit_id)
    on(clock, date(2026, 5, 1))
    assert due(date(2026, 5, 15))
    mandates.revoke(plan.mandate_id, by="customer")
    mandates.revoke(plan.mandate_id, by="customer")
    assert due(date(2026, 5, 15)) == []
    assert Event.objects.filter(type="mandate.revoked").count() == 1
    assert collecting.announce_plan(Plan.objects.get(id=plan.id), date(2026, 5, 1)) == 0


def test_spread_anew_the_mandate_stays(case, plan, clock) -> None:
    on(clock, date(2026, 3, 20))
    second = actions.replan(plan.id, shown=10000, form_key="form-0002")
    assert second.mandate_id == plan.mandate_id
    assert DirectDebit.objects.filter(rate__plan=second, state="announced").count() == 1
    assert DirectDebit.objects.filter(rate__plan=plan, state="announced").count() == 0


def test_a_mandate_lapses_thirty_six_months_after_its_last_use(case, plan, clock) -> None:
    mandate = plan.mandate
    assert mandates.lapses_on(mandate) == date(2029, 3, 3)
    assert mandates.usable(mandate, date(2029, 3, 2))
    assert not mandates.usable(mandate, date(2029, 3, 3))
    actions.cancel(plan.id, by="agent:1")
    clock.advance(timedelta(days=1096))
    check_plans()
    mandate.refresh_from_db()
    assert mandate.state == Mandate.State.LAPSED


def test_references_are_never_used_twice(case, plan) -> None:
    assert mandates.next_reference(case.customer_id) == f"M-{case.customer_id}-2"
    assert mandates.sign(case.id, ACCOUNT, "en", 14).reference == f"M-{case.customer_id}-2"


def test_without_an_identifier_nobody_collects(creditor, make_case) -> None:
    case = make_case("K1", 10000, date(2026, 2, 20))
    assert mandates.identifier() == ""
    with pytest.raises(InputError):
        mandates.sign(case.id, ACCOUNT, "de", 14)


def test_debits_of_another_creditor_do_not_exist(case, plan, clock, other_creditor) -> None:
    debit_id = announced(clock)
    with scope(other_creditor.id):
        assert collecting.due_debits(date(2026, 4, 1)) == ()
        for act in (collecting.submitted, lambda n: collecting.returned(n, TODAY)):
            with pytest.raises(NotFoundError):
                act(debit_id)
        with pytest.raises(NotFoundError):
            mandates.revoke(plan.mandate_id, by="customer")


@pytest.mark.parametrize(
    ("iban", "found"),
    [
        ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("de89-3704-0044-0532-0130-00", "DE89370400440532013000"),
        ("\u200eDE89370400440532013000\u202c\n", "DE89370400440532013000"),
        ("GB33BUKB20201555555555", "GB33BUKB20201555555555"),
    ],
)
def test_an_iban_is_read_however_it_is_written(iban, found) -> None:
    assert mandates.checked("  Erika \n Beispiel ", iban) == mandates.Account(
        "Erika Beispiel", found, mandates.checked("E", iban).bic
    )


@pytest.mark.parametrize(
    ("iban", "fault", "length"),
    [
        ("DE8937040044053201300", Fault.IBAN_LENGTH, 22),
        ("AT61190430023457320", Fault.IBAN_LENGTH, 20),
        ("DE88370400440532013000", Fault.IBAN_TYPO, 0),
        ("DE8937040044053201300O", Fault.IBAN_TYPO, 0),
        ("US12345678901234567890", Fault.IBAN_COUNTRY, 0),
        ("TR330006100519786457841326", Fault.IBAN_COUNTRY, 0),
        (" - ", Fault.IBAN_MISSING, 0),
    ],
)
def test_what_is_wrong_with_an_iban_is_known_exactly(iban, fault, length) -> None:
    with pytest.raises(AccountError) as wrong:
        mandates.checked("Erika", iban)
    assert (wrong.value.fault, wrong.value.length) == (fault, length)
