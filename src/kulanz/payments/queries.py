"""Reads of payments."""

from django.db import connection

from kulanz.kernel.errors import NotFoundError
from kulanz.payments.models import PaymentIntent
from kulanz.tenancy.scope import creditor_id


def pending_amount(case_id: int) -> int:
    """Minor units that providers are still working on for a case."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(SUM(amount), 0) FROM payments_paymentintent"
            " WHERE creditor_id = %s AND case_id = %s AND state = 'pending'",
            [creditor_id(), case_id],
        )
        return int(cursor.fetchone()[0])


def intent_of_case(intent_id: int, case_id: int) -> PaymentIntent:
    """The intent; raises NotFoundError unless it belongs to that case of the creditor in scope."""
    found: PaymentIntent | None = PaymentIntent.objects.filter(id=intent_id, case_id=case_id).first()
    if found is None:
        raise NotFoundError("There is no such payment.")
    return found
