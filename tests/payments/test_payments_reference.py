"""References that bank and customer can copy without a slip going unnoticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from kulanz.kernel.errors import InputError
from kulanz.payments.reference import case_of, reference, spaced


def test_a_reference_worked_out_by_hand():
    # ISO 7064 mod 97-10: 98 - (0000000042 R=27 F=15 00, as a number) mod 97
    assert reference(42) == f"RF{98 - int('0000000042' + '2715' + '00') % 97:02d}0000000042"


@given(st.integers(1, 2**62))
def test_every_reference_is_valid_and_leads_back(case_id):
    text = reference(case_id)
    assert len(text) <= 25
    assert iso11649.is_valid(text)
    assert case_of(spaced(text).lower()) == case_id


@given(st.integers(1, 10**9), st.integers(4, 13), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(case_id, place, shift):
    text = reference(case_id)
    wrong = text[:place] + str((int(text[place]) + shift) % 10) + text[place + 1 :]
    with pytest.raises(InputError):
        case_of(wrong)


def test_another_systems_reference_is_not_taken_for_ours():
    with pytest.raises(InputError):
        case_of("RF185390075470Y")
