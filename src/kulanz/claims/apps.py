"""Registers the room with Django and its subscribers with the event log."""

from django.apps import AppConfig

from kulanz.events.registry import subscribe


class ClaimsConfig(AppConfig):
    name = "kulanz.claims"
    label = "claims"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kulanz.claims import defaulting, kept  # noqa: PLC0415 - models are loaded only now
        from kulanz.claims.personal.registry import keep  # noqa: PLC0415

        keep(kept.TABLES)
        arrived = ["message.sent", "message.delivered"]
        subscribe("claims.default", arrived, defaulting.begin_by_reminder, in_transaction=False)
