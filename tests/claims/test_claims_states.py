"""What a claim is called: each state by one story, and a table of what may lead to what that nobody can forget."""

import re
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction

from kulanz.claims import ledger
from kulanz.claims.actions import book_payment, return_payment
from kulanz.claims.holds import lift_hold, place_hold
from kulanz.claims.models import Case, Claim, Hold, Journal, LimitationFact
from kulanz.claims.queries import statement
from kulanz.claims.rules import (
    EFFECTS,
    OWING,
    SETTLED,
    STOPPED,
    ClaimState,
    Sums,
    claim_state,
    may_lead_to,
)
from kulanz.documents.words import CLAIM_STATES, HOLDS, JOURNALS
from kulanz.kernel.clock import VirtualClock
from kulanz.tenancy.models import Creditor

ROOT = Path(__file__).parents[2]
DAY = date(2026, 3, 3)
S = ClaimState


def of(
    opened: int, open_amount: int, holds: Collection[str] = (), *, barred: bool = False, **more: int
) -> str:
    return claim_state(Sums(opened, open_amount, **more), holds=holds, barred=barred)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (of(100, 100), "open"),
        (of(100, 105), "open"),
        (of(100, 60, received=40), "part_paid"),
        (of(100, 99), "part_paid"),
        (of(100, 0, received=100), "paid"),
        (of(100, 0, received=60), "paid"),
        (of(100, 0), "credited"),
        (of(100, 0, received=40, returned=40), "credited"),
        (of(-50, -50), "credited"),
        (of(-50, 0, received=1), "credited"),
        (of(100, 100, received=100, returned=100), "reopened"),
        (of(100, 40, received=100, returned=40), "part_paid"),
        (of(100, 103, received=50, returned=60), "reopened"),
        (of(100, 0, received=40, written_off=60), "written_off"),
        (of(100, 0, written_off=60, transferred=40), "handed_over"),
        (of(100, 20, transferred=80), "part_paid"),
        (of(100, 100, ["dispute", "plan"]), "disputed"),
        (of(100, 100, ["plan", "promise"]), "on_plan"),
        (of(100, 100, ["promise"]), "on_hold"),
        (of(100, 60, ["hardship"], received=40), "on_hold"),
        (of(100, 0, ["dispute"], received=100), "paid"),
        (of(100, 100, ["dispute"], barred=True), "time_barred"),
        (of(100, 60, barred=True, received=40), "time_barred"),
        (of(100, 0, barred=True, received=100), "paid"),
    ],
)
def test_the_state_follows_from_sums_holds_and_limitation(state: str, expected: str) -> None:
    assert state == expected


def test_every_state_is_owing_stopped_or_settled() -> None:
    assert set(ClaimState) == OWING | STOPPED | SETTLED
    assert len(OWING) + len(STOPPED) + len(SETTLED) == len(ClaimState)
    assert {S.OPEN, S.PART_PAID, S.REOPENED} == OWING
    assert {S.PAID, S.CREDITED, S.HANDED_OVER, S.WRITTEN_OFF} == SETTLED


class TestNothingIsForgotten:
    """Fails when a state, journal kind, hold reason or event is added and nobody has decided what it means."""

    def causes(self, family: str) -> set[str]:
        return {cause.partition(":")[2] for cause in EFFECTS if cause.startswith(f"{family}:")}

    def test_journals(self) -> None:
        assert self.causes("journal") == set(Journal.Kind.values)

    def test_holds(self) -> None:
        assert self.causes("hold") == set(Hold.Reason.values)

    def test_events(self) -> None:
        files = set((ROOT / "src" / "kulanz" / "claims").glob("*.py"))
        text = "".join(
            p.read_text("utf-8") for p in files if p.name != "kept.py"
        )  # it names other rooms' events too
        told = set(re.findall(r"\"((?:claim|credit|fee|hold|interest|ledger|payment)\.[a-z_]+)\"", text))
        given_up = set(re.findall(r"Kind\.\w+, Account\.([A-Z_]+), cause\)", text))
        assert 'f"claim.{target.value}"' in text
        told |= {f"claim.{account.lower()}" for account in given_up}
        assert {"claim.opened", "payment.booked", "hold.placed", "claim.defaulted"} <= told
        assert self.causes("event") == told

    def test_states(self) -> None:
        reached = {state for effect in EFFECTS.values() for state in effect.after | effect.first}
        assert reached == set(ClaimState)

    def test_words(self) -> None:
        assert set(CLAIM_STATES) == set(ClaimState)
        assert set(HOLDS) >= set(Hold.Reason.values)
        assert set(JOURNALS) == set(Journal.Kind.values)


class TestTheTable:
    @pytest.mark.parametrize(
        ("cause", "before", "after"),
        [
            ("journal:opened", None, S.OPEN),
            ("journal:opened", None, S.DISPUTED),
            ("journal:credit_note", None, S.CREDITED),
            ("journal:payment", S.OPEN, S.PAID),
            ("journal:payment", S.DISPUTED, S.PAID),
            ("journal:payment", S.PAID, S.PAID),
            ("journal:payment_return", S.PAID, S.REOPENED),
            ("journal:payment_return", S.PAID, S.ON_PLAN),
            ("hold:plan", S.OPEN, S.ON_PLAN),
            ("journal:write_off", S.TIME_BARRED, S.WRITTEN_OFF),
        ],
    )
    def test_what_may_happen(self, cause: str, before: ClaimState | None, after: ClaimState) -> None:
        assert may_lead_to(cause, before, after)

    @pytest.mark.parametrize(
        ("cause", "before", "after"),
        [
            ("journal:opened", None, S.PAID),
            ("journal:payment", None, S.PAID),
            ("journal:opened", S.PAID, S.OPEN),
            ("journal:payment", S.PAID, S.OPEN),
            ("journal:payment", S.OPEN, S.WRITTEN_OFF),
            ("hold:dispute", S.PAID, S.DISPUTED),
            ("hold:plan", S.OPEN, S.PAID),
            ("journal:refund", S.OPEN, S.PAID),
            ("event:payment.booked", S.OPEN, S.PAID),
            ("journal:recovery", S.OPEN, S.PAID),
        ],
    )
    def test_what_may_not(self, cause: str, before: ClaimState | None, after: ClaimState) -> None:
        assert not may_lead_to(cause, before, after)


class TestALife:
    """One claim from the ledger's journals, each step checked against the table."""

    def test_of_payments_returns_and_holds(
        self, creditor: Creditor, make_case: Callable[..., Case], clock: VirtualClock
    ) -> None:
        case = make_case(amount=10_000)
        life = [state(case)]

        def then(cause: str) -> None:
            life.append(state(case))
            assert may_lead_to(cause, life[-2], life[-1]), (cause, life[-2:])

        dispute = place_hold(case.id, "dispute", by="customer")
        then("hold:dispute")
        plan = place_hold(case.id, "plan", by="payments")
        then("hold:plan")
        lift_hold(dispute.id, by="agent:1")
        then("event:hold.lifted")
        lift_hold(plan.id, by="agent:1")
        then("event:hold.lifted")
        place_hold(case.id, "promise", by="customer", until=clock.at + timedelta(days=2))
        then("hold:promise")
        clock.advance(timedelta(days=2))
        then("time:hold ended")
        book_payment(case.id, 4_000, value_date=DAY, key="a", method="transfer")
        then("journal:payment")
        book_payment(case.id, 6_000, value_date=DAY, key="b", method="transfer")
        then("journal:payment")
        return_payment("b", value_date=DAY, key="rb")
        then("journal:payment_return")
        return_payment("a", value_date=DAY, key="ra")
        then("journal:payment_return")
        assert life == [
            S.OPEN,
            S.DISPUTED,
            S.DISPUTED,
            S.ON_PLAN,
            S.OPEN,
            S.ON_HOLD,
            S.OPEN,
            S.PART_PAID,
            S.PAID,
            S.PART_PAID,
            S.REOPENED,
        ]

    @pytest.mark.parametrize(
        ("kind", "account", "expected"),
        [
            ("write_off", "written_off", S.WRITTEN_OFF),
            ("transfer", "transferred", S.HANDED_OVER),
            ("waiver", "waived", S.CREDITED),
            ("discount", "discounted", S.CREDITED),
        ],
    )
    def test_of_what_is_given_up(
        self,
        creditor: Creditor,
        make_case: Callable[..., Case],
        kind: str,
        account: str,
        expected: ClaimState,
    ) -> None:
        case = make_case(amount=10_000)
        claim = Claim.objects.get(case=case).id
        lines = (ledger.Line("principal", -10_000, claim, kind), ledger.Line(account, 10_000, claim, kind))
        with transaction.atomic():
            ledger.post(ledger.Entry(kind, kind, case.id, DAY, lines))
        assert state(case) is expected
        assert may_lead_to(f"journal:{kind}", S.OPEN, expected)

    def test_a_payment_that_was_spread_anew_still_counts_as_one(
        self, creditor: Creditor, make_case: Callable[..., Case]
    ) -> None:
        """p5 settled the older claim, p2 of an earlier day takes its place: both claims are paid, by payments."""
        make_case(claim="older", amount=5_000, due=date(2026, 2, 1))
        case = make_case(claim="newer", amount=5_000)
        book_payment(case.id, 5_000, value_date=date(2026, 3, 5), key="p5", method="transfer")
        book_payment(case.id, 5_000, value_date=date(2026, 3, 2), key="p2", method="transfer")
        assert {claim.state for claim in statement(case.id).claims} == {S.PAID}
        return_payment("p5", value_date=date(2026, 3, 6), key="r5")
        assert {c.number: c.state for c in statement(case.id).claims} == {
            "older": S.PAID,
            "newer": S.REOPENED,
        }

    def test_of_limitation(
        self, creditor: Creditor, make_case: Callable[..., Case], clock: VirtualClock
    ) -> None:
        """Due on 20 February 2022: barred after 31 December 2025 (sections 195, 199); it was 3 March 2026 by then."""
        case = make_case(due=date(2022, 2, 20))
        assert state(case) is S.TIME_BARRED

    def test_a_part_payment_starts_limitation_anew(
        self, creditor: Creditor, make_case: Callable[..., Case]
    ) -> None:
        """Section 212: 3 years from 10 May 2024. The same payment, returned, has started nothing."""
        case = make_case(due=date(2022, 2, 20))
        book_payment(case.id, 100, value_date=date(2024, 5, 10), key="p", method="debit")
        assert state(case) is S.PART_PAID
        return_payment("p", value_date=date(2024, 5, 12), key="r")
        assert state(case) is S.TIME_BARRED

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("titled", S.OPEN),
            ("acknowledged", S.OPEN),
            ("negotiation", S.OPEN),
            ("payment_order", S.OPEN),
        ],
    )
    def test_what_is_recorded_moves_limitation(
        self, creditor: Creditor, make_case: Callable[..., Case], kind: str, expected: ClaimState
    ) -> None:
        case = make_case(due=date(2022, 2, 20))
        LimitationFact.objects.create(
            creditor_id=creditor.id,
            claim=Claim.objects.get(case=case),
            kind=kind,
            from_day=date(2025, 6, 1),
            proof="letter of that day",
            recorded_at=case.opened_at,
        )
        assert state(case) is expected

    def test_without_a_rule_nothing_is_barred(
        self, creditor: Creditor, make_case: Callable[..., Case]
    ) -> None:
        case = make_case(due=date(1950, 2, 20))
        assert state(case) is S.OPEN

    def test_a_hold_in_the_past_says_nothing(
        self, creditor: Creditor, make_case: Callable[..., Case]
    ) -> None:
        case = make_case()
        begins = datetime(2026, 1, 1, tzinfo=UTC)
        place_hold(case.id, "moratorium", by="agent:1", from_at=begins, until=begins + timedelta(days=30))
        assert state(case) is S.OPEN


def state(case: Case) -> ClaimState:
    return statement(case.id).claims[0].state


class TestTheDiagram:
    """docs/claims.md shows what the table says."""

    PAGE = (ROOT / "docs" / "claims.md").read_text("utf-8")

    def test_every_state_is_on_it(self) -> None:
        diagram = self.PAGE.partition("stateDiagram-v2")[2].partition("```")[0]
        named = {word for word in re.findall(r"\b[a-z_]+\b", diagram) if word in set(ClaimState)}
        assert named == set(ClaimState)

    def test_every_arrow_is_allowed_and_every_change_has_one(self) -> None:
        diagram = self.PAGE.partition("stateDiagram-v2")[2].partition("```")[0]
        arrows = re.findall(r"^\s*(\w+|\[\*\]) --> (\w+): (.+)$", diagram, re.M)
        shown: set[str] = set()
        groups: dict[str, Collection[ClaimState]] = {"Owing": OWING, "Stopped": STOPPED, "Settled": SETTLED}
        for begin, end, causes in arrows:
            ends = groups.get(end) or [S(end)]
            begins: Collection[ClaimState | None] = [None]
            if begin != "[*]":
                begins = groups.get(begin) or [S(begin)]
            for cause in causes.split(", "):
                shown.add(cause)
                full = next(name for name in EFFECTS if name.partition(":")[2] == cause)
                assert any(may_lead_to(full, b, e) and b != e for b in begins for e in ends), (
                    begin,
                    end,
                    cause,
                )
        changing = {
            name.partition(":")[2] for name, effect in EFFECTS.items() if effect.after or effect.first
        }
        assert shown == changing

    def test_the_table_stands_on_the_page(self) -> None:
        rows = re.findall(r"^\| `([a-z_ :.]+)` \| ([a-z_, ]*) \| ([a-z_, ]*) \|$", self.PAGE, re.M)
        assert {cause: (before, after) for cause, before, after in rows} == {
            cause: (row(effect.before) if effect.after else "new", row(effect.after or effect.first))
            for cause, effect in EFFECTS.items()
            if effect.after or effect.first
        }


def row(states: Collection[ClaimState]) -> str:
    """The states by their groups where a whole group is meant."""
    groups = {"owing": OWING, "stopped": STOPPED, "settled": SETTLED}
    whole = [name for name, group in groups.items() if group <= set(states)]
    told = {state for name in whole for state in groups[name]}
    return ", ".join([*whole, *(state for state in ClaimState if state in states and state not in told)])
