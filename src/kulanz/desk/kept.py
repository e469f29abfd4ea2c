"""What this room keeps about customers."""

from django.utils.translation import gettext_lazy as _

from kulanz.claims.kept import OF_CASE
from kulanz.claims.personal.registry import Column, Kept
from kulanz.desk.models import Note

TABLES = (
    Kept(
        Note,
        OF_CASE,
        _("Notes of our staff"),
        (Column("created_at", _("When"), "moment"), Column("text", _("Text"))),
        without={"author": "the login of a member of staff, whose data it is"},
    ),
)
