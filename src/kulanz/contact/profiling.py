"""The objection to profiling (Art. 21 GDPR): from then on the plain ladder decides, until it is taken back."""

from django.db import transaction

from kulanz.claims.models import Customer
from kulanz.contact.actions import give, withdraw
from kulanz.contact.models import Channel, Consent

CHANNEL = Channel.PORTAL.value
"""An objection is for every channel; its row is kept under the one where it is made."""
PURPOSE = Consent.Purpose.PROFILING.value


def object_to_profiling(customer_id: int, *, proof: str) -> bool:
    """Let no policy decide about this customer; False when that was so already. No reason is asked for.

    The event stops, in the same transaction, what a policy chose and has not left.
    """
    with transaction.atomic():
        changed = withdraw(customer_id, CHANNEL, purpose=PURPOSE, proof=proof)
        Customer.objects.filter(id=customer_id).update(ladder_only=True)
    return changed


def take_objection_back(customer_id: int, *, proof: str) -> bool:
    """Let the policy decide again; False when there was no objection."""
    with transaction.atomic():
        objecting = Customer.objects.select_for_update().filter(id=customer_id, ladder_only=True)
        if not objecting.exists():
            return False
        give(customer_id, CHANNEL, purpose=PURPOSE, proof=proof)
        objecting.update(ladder_only=False)
    return True
