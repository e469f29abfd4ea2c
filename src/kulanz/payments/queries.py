"""Reads of payments."""

from kulanz.kernel.errors import NotFoundError
from kulanz.payments.models import PaymentIntent


def pending_amount(case_id: int) -> int:
    """Minor units that providers are still working on for a case."""
    rows = PaymentIntent.objects.filter(case_id=case_id, state=PaymentIntent.State.PENDING)
    return sum(rows.values_list("amount", flat=True))


def intent_of_case(intent_id: int, case_id: int) -> PaymentIntent:
    """The intent; raises NotFoundError unless it belongs to that case of the creditor in scope."""
    found: PaymentIntent | None = PaymentIntent.objects.filter(id=intent_id, case_id=case_id).first()
    if found is None:
        raise NotFoundError("There is no such payment.")
    return found
