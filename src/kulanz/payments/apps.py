"""Registers the room with Django and its subscribers with the event log."""

from django.apps import AppConfig

from kulanz.events.registry import subscribe


class PaymentsConfig(AppConfig):
    name = "kulanz.payments"
    label = "payments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kulanz.claims.personal.registry import keep  # noqa: PLC0415 - models are loaded only now
        from kulanz.payments import kept  # noqa: PLC0415
        from kulanz.payments.offers import following  # noqa: PLC0415
        from kulanz.payments.plans import advancing  # noqa: PLC0415

        keep(kept.TABLES)
        subscribe("payments.plans", advancing.MONEY_EVENTS, advancing.follow, in_transaction=True)
        for name, types, handler in [
            ("payments.offers", following.MONEY_EVENTS, following.follow_money),
            ("payments.offers_plans", following.PLAN_EVENTS, following.follow_plans),
            ("payments.offers_promises", [following.PROMISED], following.follow_promises),
            ("payments.offers_messages", following.MESSAGE_EVENTS, following.follow_messages),
        ]:
            subscribe(name, types, handler, in_transaction=True)
