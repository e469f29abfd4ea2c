"""The legal basis of each kind of posting, per jurisdiction."""

from enum import StrEnum

from kulanz.kernel.errors import InputError
from kulanz.law.figures.basis import Basis
from kulanz.law.packs import Pack, load

__all__ = ["Basis", "PostingKind", "basis", "basis_of"]


class PostingKind(StrEnum):
    """What a posting does to a claim."""

    PRINCIPAL = "principal"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    PAYMENT_RETURN = "payment_return"
    INTEREST = "interest"
    REMINDER_COST = "reminder_cost"
    LUMP_SUM = "lump_sum"
    COLLECTION_COST = "collection_cost"
    COLLECTION_EXPENSES = "collection_expenses"
    SETTLEMENT_FEE = "settlement_fee"
    RETURN_COST = "return_cost"
    WAIVER = "waiver"
    DISCOUNT = "discount"
    WRITE_OFF = "write_off"
    RECOVERY = "recovery"
    TRANSFER = "transfer"
    REFUND = "refund"
    CORRECTION = "correction"
    OVERPAYMENT = "overpayment"
    OFFSET = "offset"


def basis(pack: Pack, kind: PostingKind | str) -> Basis:
    """Why a posting of this kind is lawful under the pack. Raises InputError for a kind without a basis."""
    found = next((each for each in pack.bases if each.kind == kind), None)
    if found is None:
        raise InputError(
            f"The law pack of {pack.jurisdiction} names no legal basis for postings of kind {kind!r}."
        )
    return found


def basis_of(code: str) -> Basis:
    """The basis that a stored code such as "DE.payment" stands for. Raises InputError for an unknown one."""
    jurisdiction, _, kind = code.partition(".")
    return basis(load(jurisdiction), kind)
