"""The state of a claim at the edges of its sums, and how an effect is read."""

import pytest

from kulanz.claims.rules import ClaimState, Effect, Sums, _effect, claim_state, may_lead_to

S = ClaimState


@pytest.mark.parametrize(
    ("sums", "holds", "barred", "state"),
    [
        (Sums(100, 100), (), False, S.OPEN),
        (Sums(100, 1), (), False, S.PART_PAID),
        (Sums(100, 101), (), False, S.OPEN),
        (Sums(100, 100, received=40, returned=40), (), False, S.REOPENED),
        (Sums(100, 100, received=40, returned=41), (), False, S.REOPENED),
        (Sums(100, 100, received=1, returned=1), (), False, S.REOPENED),
        (Sums(100, 99, received=41, returned=40), (), False, S.PART_PAID),
        (Sums(100, 0, received=100), (), False, S.PAID),
        (Sums(100, -1, received=101), ("dispute",), True, S.PAID),
        (Sums(100, 0, received=1), (), False, S.PAID),
        (Sums(100, 0, received=40, returned=40), (), False, S.CREDITED),
        (Sums(100, 0), (), False, S.CREDITED),
        (Sums(-100, 0, received=5), (), False, S.CREDITED),
        (Sums(0, 0, received=5), (), False, S.CREDITED),
        (Sums(1, 0, received=5), (), False, S.PAID),
        (Sums(100, 0, written_off=1), (), False, S.WRITTEN_OFF),
        (Sums(100, 0, received=99, transferred=1), (), False, S.HANDED_OVER),
        (Sums(100, 0, written_off=1, transferred=1), (), False, S.HANDED_OVER),
        (Sums(100, 1), ("plan",), True, S.TIME_BARRED),
        (Sums(100, 1), ("plan", "dispute"), False, S.DISPUTED),
        (Sums(100, 1), ("manual", "plan"), False, S.ON_PLAN),
        (Sums(100, 1), ("manual",), False, S.ON_HOLD),
    ],
)
def test_sums_holds_and_limitation_decide(
    sums: Sums, holds: tuple[str, ...], barred: bool, state: ClaimState
) -> None:
    assert claim_state(sums, holds=holds, barred=barred) is state
    if not barred:
        assert claim_state(sums, holds=holds) is state


def test_an_effect_keeps_its_three_sides_apart() -> None:
    assert _effect([S.OPEN], S.PAID, S.PART_PAID, first=[S.CREDITED]) == Effect(
        before=frozenset({S.OPEN}), after=frozenset({S.PAID, S.PART_PAID}), first=frozenset({S.CREDITED})
    )
    assert _effect([]) == Effect()


def test_what_may_follow_from_what() -> None:
    for cause, before, after, may in (
        ("journal:opened", None, S.OPEN, True),
        ("journal:opened", None, S.ON_HOLD, True),
        ("journal:opened", None, S.PAID, False),
        ("journal:credit_note", None, S.CREDITED, True),
        ("journal:credit_note", None, S.ON_HOLD, False),
        ("journal:refund", S.PAID, S.PAID, True),
        ("journal:refund", S.PAID, S.OPEN, False),
        ("journal:payment", S.OPEN, S.PAID, True),
        ("journal:payment", S.OPEN, S.DISPUTED, True),
        ("journal:payment", S.PAID, S.PART_PAID, False),
        ("journal:payment", S.OPEN, S.WRITTEN_OFF, False),
        ("journal:recovery", S.WRITTEN_OFF, S.ON_HOLD, False),
    ):
        assert may_lead_to(cause, before, after) is may, (cause, before, after)
