"""What this room keeps about customers."""

from django.utils.translation import gettext_lazy as _

from kulanz.claims.personal.registry import Column, Kept
from kulanz.contact.correcting.models import Correction
from kulanz.contact.login.models import Login, LoginCode
from kulanz.contact.models import Consent, ContactLog, ContactPoint, Representative

TABLES = (
    Kept(
        ContactPoint,
        "customer_id",
        _("How we reach you"),
        (
            Column("channel", _("Channel"), "channel"),
            Column("value", _("Address")),
            Column("state", _("State"), "point_state"),
            Column("source", _("Source")),
            Column("created_at", _("Since"), "moment"),
        ),
    ),
    Kept(
        Consent,
        "customer_id",
        _("What you allowed or refused"),
        (
            Column("purpose", _("For")),
            Column("channel", _("Channel"), "channel"),
            Column("given_at", _("Given"), "moment"),
            Column("withdrawn_at", _("Withdrawn"), "moment"),
            Column("proof", _("Where")),
        ),
    ),
    Kept(
        Representative,
        "customer_id",
        _("Who speaks for you"),
        (
            Column("kind", _("Kind")),
            Column("name", _("Name")),
            Column("channel", _("Channel"), "channel"),
            Column("value", _("Address")),
            Column("from_day", _("From"), "day"),
            Column("until_day", _("Until"), "day"),
        ),
    ),
    Kept(
        ContactLog,
        "customer_id",
        _("When we wrote or called"),
        (
            Column("at", _("When"), "moment"),
            Column("channel", _("Channel"), "channel"),
            Column("demanding", _("A reminder"), "yes_no"),
        ),
    ),
    Kept(
        Login,
        "customer_id",
        _("When somebody signed in"),
        (
            Column("at", _("When"), "moment"),
            Column("factor", _("By")),
            Column("succeeded", _("Succeeded"), "yes_no"),
        ),
    ),
    Kept(LoginCode, "customer_id", _("Codes for signing in")),
    Kept(
        Correction,
        "customer_id",
        _("What you asked us to correct"),
        (
            Column("asked_at", _("When"), "moment"),
            Column("about", _("About")),
            Column("text", _("In your words")),
            Column("done_at", _("Settled"), "moment"),
            Column("corrected", _("Corrected"), "yes_no"),
        ),
    ),
)
