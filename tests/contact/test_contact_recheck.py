"""Each obstacle in the database, seen by the gate of a run and by the check in the sending transaction alike."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kulanz.claims.actions import book_payment
from kulanz.claims.holds import lift_hold, place_hold
from kulanz.claims.models import Case, Customer
from kulanz.claims.queries import open_amount
from kulanz.contact.actions import log_contact, mark_bounced, withdraw
from kulanz.contact.facts import StageSet
from kulanz.contact.gate import Gated, gate
from kulanz.contact.models import ContactPoint, Representative
from kulanz.contact.queries import creditor_rules, facts, recheck, representative_of
from kulanz.engine import ActionSpace
from kulanz.kernel import clock as time
from kulanz.kernel.errors import NotFoundError
from kulanz.law.holds import HoldEffects
from kulanz.law.vetoes import VetoCode
from kulanz.outreach.models import Message
from kulanz.outreach.queries import on_their_way, others_on_their_way
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

STAGE = StageSet("reminder_1", True, ("email",), ("friendly",), ("none",), 72, 100)
SPACE = ActionSpace(channels=("email",), tones=("friendly",), offers=("none",))
Arrange = Callable[[Case, Any], object]


def gated_now(creditor: Creditor, *cases: Case) -> Gated:
    ids = np.array([case.id for case in cases])
    amounts = np.array([open_amount(case.id) for case in cases])
    coming = on_their_way(np.array([case.customer_id for case in cases]))
    found = facts(ids, amounts, time.now(), SPACE.channels, coming)
    return gate(found, [STAGE], np.zeros(len(cases), np.int16), SPACE, creditor_rules(creditor), time.now())


def code_now(case: Case, message_id: int | None = None) -> VetoCode | None:
    own = Message(id=message_id or 0, customer_id=case.customer_id)
    veto = recheck(case.id, "email", STAGE, time.now(), on_their_way=others_on_their_way(own))
    return None if veto is None else veto.code


def message(
    case: Case, state: str = "queued", kind: str = "demanding", decision_id: int | None = 1
) -> Message:
    made: Message = Message.objects.create(
        creditor_id=case.creditor_id,
        key=f"{kind}:{case.id}:{state}:{decision_id}",
        case=case,
        customer_id=case.customer_id,
        kind=kind,
        state=state,
        channel="email",
        stage="reminder_1",
        tone="friendly",
        offer="none",
        decision_id=decision_id,
        not_before=time.now(),
        expires_at=time.now() + timedelta(hours=2),
        created_at=time.now(),
    )
    return made


def paid(case: Case, _: Any) -> None:
    book_payment(case.id, 10_000, value_date=date(2026, 3, 3), key="p1", method="transfer")


def paid_all_but_a_little(case: Case, _: Any) -> None:
    book_payment(case.id, 9_950, value_date=date(2026, 3, 3), key="p1", method="transfer")


def held(reason: str) -> Arrange:
    return lambda case, _: place_hold(case.id, reason, by="customer")


def born(day: date) -> Arrange:
    return lambda case, _: Customer.objects.filter(id=case.customer_id).update(birth_date=day)


def two_contacts_this_week(case: Case, clock: Any) -> None:
    for _ in range(2):
        log_contact(case.id, case.customer_id, "email", demanding=True)
        clock.advance(timedelta(hours=49))


def without_address(case: Case, _: Any) -> None:
    ContactPoint.objects.filter(customer_id=case.customer_id).delete()


def revoked_address(case: Case, _: Any) -> None:
    ContactPoint.objects.filter(customer_id=case.customer_id).update(state="revoked")


STORIES: dict[str, tuple[Arrange, VetoCode]] = {
    "paid": (paid, VetoCode.NOTHING_OPEN),
    "half a euro left": (paid_all_but_a_little, VetoCode.AMOUNT_TOO_SMALL),
    "disputed": (held("dispute"), VetoCode.DISPUTED),
    "promised": (held("promise"), VetoCode.ON_HOLD),
    "insolvent": (held("insolvency"), VetoCode.INSOLVENCY),
    "represented": (held("represented"), VetoCode.REPRESENTED),
    "deceased": (held("deceased"), VetoCode.DECEASED),
    "held as a minor": (held("minor"), VetoCode.MINOR),
    "eighteen tomorrow": (born(date(2008, 3, 4)), VetoCode.MINOR),
    "opted out": (
        lambda case, _: withdraw(case.customer_id, "email", proof="unsubscribe link"),
        VetoCode.OPTED_OUT,
    ),
    "bounced": (lambda case, _: mark_bounced(case.customer_id, "email"), VetoCode.BOUNCED),
    "no address": (without_address, VetoCode.NO_CONTACT_POINT),
    "revoked address": (revoked_address, VetoCode.NO_CONTACT_POINT),
    "two contacts this week": (two_contacts_this_week, VetoCode.TOO_MANY),
    "another message queued": (lambda case, _: message(case), VetoCode.MESSAGE_PENDING),
    "another message being sent": (lambda case, _: message(case, "sending"), VetoCode.MESSAGE_PENDING),
    "another message of unknown fate": (lambda case, _: message(case, "unknown"), VetoCode.MESSAGE_PENDING),
}


@pytest.mark.parametrize("story", STORIES)
def test_an_obstacle_stops_the_run_and_the_sending(
    story: str, creditor: Creditor, make_case: Any, clock: Any
) -> None:
    case = make_case()
    assert gated_now(creditor, case).allowed.channel_slot.any()
    assert code_now(case) is None
    arrange, code = STORIES[story]
    arrange(case, clock)
    gated = gated_now(creditor, case)
    assert not gated.allowed.channel_slot.any()
    assert gated.vetoes[code].tolist() == [True]
    assert code_now(case) is code


HARMLESS: dict[str, Arrange] = {
    "eighteen today": born(date(2008, 3, 3)),
    "a service message queued": lambda case, _: message(case, kind="service", decision_id=None),
    "a message stopped": lambda case, _: message(case, "stopped"),
    "three receipts sent just now": lambda case, _: [
        log_contact(case.id, case.customer_id, "email", demanding=False) for _ in range(3)
    ],
    "an opt-out from profiling": lambda case, _: withdraw(
        case.customer_id, "email", purpose="profiling", proof="preferences page"
    ),
    "an opt-out from another channel": lambda case, _: withdraw(case.customer_id, "sms", proof="STOP"),
    "a hold that lets contacts through": lambda case, _: place_hold(
        case.id, "manual", by="agent:1", effects=HoldEffects(contact=False, interest=True, fees=True)
    ),
    "a second address that works": lambda case, _: (
        mark_bounced(case.customer_id, "email"),
        ContactPoint.objects.create(
            creditor_id=case.creditor_id,
            customer_id=case.customer_id,
            channel="email",
            value="neu@customers.example",
            source="customer",
            created_at=time.now(),
        ),
    ),
}


@pytest.mark.parametrize("story", HARMLESS)
def test_what_is_no_obstacle_stops_nothing(
    story: str, creditor: Creditor, make_case: Any, clock: Any
) -> None:
    case = make_case()
    HARMLESS[story](case, clock)
    assert gated_now(creditor, case).allowed.channel_slot.any()
    assert code_now(case) is None


def test_a_business_has_no_age(creditor: Creditor, make_case: Any) -> None:
    case = make_case(kind="business")
    Customer.objects.filter(id=case.customer_id).update(birth_date=date(2020, 1, 1))
    assert code_now(case) is None


def test_a_promise_holds_until_its_day_and_no_longer(creditor: Creditor, make_case: Any, clock: Any) -> None:
    case = make_case()
    place_hold(case.id, "promise", by="customer", until=time.now() + timedelta(days=2))
    clock.advance(timedelta(days=2) - timedelta(seconds=1))
    assert code_now(case) is VetoCode.ON_HOLD
    clock.advance(timedelta(seconds=1))
    assert code_now(case) is VetoCode.RETURNING
    clock.advance(timedelta(days=4))
    assert code_now(case) is None


def test_after_holds_that_end_together_cases_come_back_one_by_one(
    creditor: Creditor, make_case: Any, clock: Any
) -> None:
    """Sixty holds end in one moment: within an hour no more than two cases may be asked again, after three days all."""
    cases = [make_case(f"K{number}") for number in range(60)]
    for case in cases:
        place_hold(case.id, "plan", by="agent:1", until=time.now() + timedelta(days=1))
    clock.advance(timedelta(days=1))
    found = read(cases)
    hours = np.sort((found.returns_at - int(time.now().timestamp())) // 3600)
    assert (hours >= 1).all()
    assert (hours <= 72).all()
    assert np.unique(hours, return_counts=True)[1].max() <= 2
    clock.advance(timedelta(days=3))
    assert not read(cases).returns_at.any()


def test_a_hold_lifted_early_counts_from_its_lifting(creditor: Creditor, make_case: Any, clock: Any) -> None:
    case = make_case()
    hold = place_hold(case.id, "dispute", by="customer", until=time.now() + timedelta(days=30))
    lift_hold(hold.id, by="agent:1")
    assert code_now(case) is VetoCode.RETURNING
    clock.advance(timedelta(hours=73))
    assert code_now(case) is None


def test_a_case_with_only_time_barred_claims_is_left_alone(creditor: Creditor, make_case: Any) -> None:
    """Due in 2022: barred since 1 January 2026. A younger claim on the same case may be asked for."""
    case = make_case("K1", due=date(2022, 5, 3))
    assert code_now(case) is VetoCode.TIME_BARRED
    Creditor.objects.update(polite_when_barred=True)
    assert code_now(case) is VetoCode.TIME_BARRED
    polite = replace(STAGE, demanding=False)
    assert recheck(case.id, "email", polite, time.now()) is None
    Creditor.objects.update(polite_when_barred=False)
    refused = recheck(case.id, "email", polite, time.now())
    assert refused is not None
    assert refused.code is VetoCode.TIME_BARRED
    make_case("K1", claim="R-2", due=date(2026, 2, 1))
    assert code_now(case) is None


def test_a_part_payment_keeps_an_old_claim_alive(creditor: Creditor, make_case: Any) -> None:
    case = make_case("K1", due=date(2022, 5, 3))
    book_payment(case.id, 100, value_date=date(2024, 3, 4), key="p", method="transfer")
    assert code_now(case) is None


def test_contact_goes_to_who_speaks_for_the_customer(creditor: Creditor, make_case: Any) -> None:
    case = make_case()
    day = date(2026, 3, 3)
    assert representative_of(case.customer_id, day) is None
    for number, (begins, ends) in enumerate([(day, None), (date(2026, 1, 1), date(2026, 3, 2))]):
        Representative.objects.create(
            creditor_id=creditor.id,
            customer_id=case.customer_id,
            kind="lawyer",
            name=f"Kanzlei {number}",
            channel="email",
            value="kanzlei@recht.example",
            from_day=begins,
            until_day=ends,
        )
    assert representative_of(case.customer_id, day).name == "Kanzlei 0"
    assert representative_of(case.customer_id, date(2026, 3, 2)).name == "Kanzlei 1"
    place_hold(case.id, "represented", by="agent:1")
    assert code_now(case) is VetoCode.REPRESENTED


def test_calls_have_caps_of_their_own_where_the_law_has_them(
    creditor: Creditor, make_creditor: Any, make_case: Any, clock: Any
) -> None:
    american = make_creditor("maple", jurisdiction="US", timezone="America/New_York")
    Creditor.objects.filter(id=american.id).update(contacts_per_7_days=2)
    with scope(american.id):
        case = make_case()
        found = facts(np.array([case.id]), np.array([10000]), time.now(), ("call",))
        assert (found.last_talk[0], found.calls_7d[0]) == (0, 0)
        log_contact(case.id, case.customer_id, "call", demanding=False, talked=True)
        log_contact(case.id, case.customer_id, "call", demanding=False)
        found = facts(np.array([case.id]), np.array([10000]), time.now(), ("call",))
        assert (found.last_talk[0], found.calls_7d[0]) == (int(time.now().timestamp()), 2)
        clock.advance(timedelta(days=7))
        assert facts(np.array([case.id]), np.array([10000]), time.now(), ("call",)).calls_7d[0] == 0


def read(cases: list[Any]) -> Any:
    ids = np.array([case.id for case in cases])
    return facts(ids, np.full(len(ids), 10000), time.now(), ("email",))


def test_a_message_does_not_stop_itself(creditor: Creditor, make_case: Any) -> None:
    case = make_case()
    own = message(case)
    assert code_now(case, own.id) is None
    assert code_now(case) is VetoCode.MESSAGE_PENDING


def test_the_caps_end_to_the_second(creditor: Creditor, make_case: Any, clock: Any) -> None:
    case = make_case()
    log_contact(case.id, case.customer_id, "email", demanding=True)
    clock.advance(timedelta(hours=48) - timedelta(seconds=1))
    assert code_now(case) is VetoCode.TOO_SOON
    clock.advance(timedelta(seconds=1))
    assert code_now(case) is None
    log_contact(case.id, case.customer_id, "email", demanding=True)  # Thursday 9:00, the second in 7 days
    clock.advance(timedelta(days=5) - timedelta(seconds=1))
    assert code_now(case) is VetoCode.TOO_MANY
    clock.advance(timedelta(seconds=1))  # the first one was exactly seven days ago
    assert code_now(case) is None


@pytest.mark.parametrize(
    ("local", "code"),
    [
        ("2026-03-03T07:59", VetoCode.OUTSIDE_HOURS),
        ("2026-03-03T08:00", None),
        ("2026-03-03T19:59", None),
        ("2026-03-03T20:00", VetoCode.OUTSIDE_HOURS),
        ("2026-03-07T08:30", VetoCode.OUTSIDE_HOURS),  # Saturday from 9
        ("2026-03-08T12:00", VetoCode.SUNDAY),
        ("2026-04-03T12:00", VetoCode.PUBLIC_HOLIDAY),  # Good Friday
        ("2026-03-30T08:00", None),  # the first Monday of summer time
    ],
)
def test_the_hour_of_sending_counts_not_the_hour_that_was_planned(
    local: str, code: VetoCode | None, creditor: Creditor, make_case: Any
) -> None:
    berlin = datetime.fromisoformat(local + ("+02:00" if local >= "2026-03-29" else "+01:00"))
    veto = recheck(make_case().id, "email", STAGE, berlin)
    assert (None if veto is None else veto.code) is code


def test_a_channel_the_stage_does_not_have_is_refused(creditor: Creditor, make_case: Any) -> None:
    veto = recheck(make_case().id, "sms", STAGE, time.now())
    assert veto is not None
    assert veto.code is VetoCode.NOT_IN_STAGE


def test_a_messenger_needs_consent(creditor: Creditor, make_case: Any) -> None:
    case = make_case()
    found = facts(np.array([case.id]), np.array([1]), time.now(), ("email", "whatsapp"))
    assert found.no_consent.tolist() == [[False, True]]


def test_a_death_stops_all_cases_of_the_customer_a_dispute_only_its_own(
    creditor: Creditor, make_case: Any
) -> None:
    euros, dollars = make_case(), make_case(currency="USD", claim="R-2")
    assert euros.customer_id == dollars.customer_id
    place_hold(euros.id, "dispute", by="customer")
    assert (code_now(euros), code_now(dollars)) == (VetoCode.DISPUTED, None)
    place_hold(dollars.id, "deceased", by="agent:1")
    assert (code_now(euros), code_now(dollars)) == (VetoCode.DECEASED, VetoCode.DECEASED)


def test_a_message_about_one_case_keeps_the_customers_other_case_back(
    creditor: Creditor, make_case: Any
) -> None:
    euros, dollars = make_case(amount=5_000), make_case(currency="USD", claim="R-2", amount=9_000)
    both = gated_now(creditor, euros, dollars)
    assert both.allowed.channel_slot.any(axis=1).tolist() == [False, True]
    assert both.vetoes[VetoCode.CUSTOMER_CONTACTED].tolist() == [True, False]
    message(dollars)
    assert not gated_now(creditor, euros, dollars).allowed.channel_slot.any()
    assert code_now(euros) is VetoCode.MESSAGE_PENDING


def test_facts_keep_the_order_they_were_asked_in_even_far_apart(creditor: Creditor, make_case: Any) -> None:
    cases = [make_case(f"K{i}") for i in range(12)]
    withdraw(cases[11].customer_id, "email", proof="x")
    place_hold(cases[0].id, "manual", by="agent:1")
    order = [cases[11], cases[0], cases[5]]
    far = facts(np.array([case.id for case in order]), np.array([3, 1, 2]), time.now(), ("email",))
    assert far.customer_id.tolist() == [case.customer_id for case in order]
    assert far.opted_out[:, 0].tolist() == [True, False, False]
    assert (far.hold >= 0).tolist() == [False, True, False]
    assert far.region.tolist() == ["DE-BE"] * 3
    backwards = facts(np.array([case.id for case in cases[::-1]]), np.arange(12), time.now(), ("email",))
    assert backwards.opted_out[:, 0].tolist() == [True] + [False] * 11
    assert (backwards.hold >= 0).tolist() == [False] * 11 + [True]


def test_another_creditors_case_does_not_exist(
    creditor: Creditor, other_creditor: Creditor, make_case: Any
) -> None:
    case = make_case()
    with scope(other_creditor.id):
        with pytest.raises(NotFoundError):
            recheck(case.id, "email", STAGE, time.now())
        with pytest.raises(NotFoundError):
            facts(np.array([case.id]), np.array([1]), time.now(), ("email",))


def test_a_block_costs_few_statements_however_large_it_is(creditor: Creditor, make_case: Any) -> None:
    cases = [make_case(f"K{i}") for i in range(20)]
    with CaptureQueriesContext(
        connection,
    ) as few:
        facts(np.array([case.id for case in cases]), np.ones(20, np.int64), time.now(), ("email", "sms"))
    assert len(few) <= 5
    with CaptureQueriesContext(connection) as one_row:
        recheck(cases[0].id, "email", STAGE, time.now())
    assert len(one_row) <= 7, "one of them asks for rows that the operator added to the law"
