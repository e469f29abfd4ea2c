"""What agents do that belongs to no other room."""

from django.db import transaction

from kulanz.claims.actions import lock_case
from kulanz.desk.models import Note
from kulanz.events.log import record
from kulanz.kernel import clock


def add_note(case_id: int, text: str, *, author: str) -> Note:
    """Write a note on a case; raises NotFoundError for another creditor's case."""
    with transaction.atomic():
        case = lock_case(case_id)
        note: Note = Note.objects.create(
            creditor_id=case.creditor_id, case_id=case_id, author=author, text=text, created_at=clock.now()
        )
        record("note.added", case_id, {"note": note.id})
    return note
