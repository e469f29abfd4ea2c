"""Registers the room with Django and its subscribers with the event log."""

from django.apps import AppConfig

from kulanz.events.registry import subscribe


class PaymentsConfig(AppConfig):
    name = "kulanz.payments"
    label = "payments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kulanz.payments.plans import advancing  # noqa: PLC0415 - models are loaded only now

        subscribe("payments.plans", advancing.MONEY_EVENTS, advancing.follow, in_transaction=True)
