"""Registers the room with Django."""

from django.apps import AppConfig


class StrategyConfig(AppConfig):
    name = "kulanz.strategy"
    label = "strategy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kulanz.claims.personal.registry import keep  # noqa: PLC0415 - models are not loaded before
        from kulanz.events.registry import subscribe  # noqa: PLC0415
        from kulanz.strategy import kept  # noqa: PLC0415
        from kulanz.strategy.objecting import stop_chosen  # noqa: PLC0415
        from kulanz.strategy.rewards import note_setbacks, on_returned  # noqa: PLC0415

        keep(kept.TABLES)
        subscribe(
            "strategy.setbacks", ["complaint.made", "payment.returned"], note_setbacks, in_transaction=True
        )
        subscribe("strategy.objections", ["consent.withdrawn"], stop_chosen, in_transaction=True)
        subscribe("strategy.corrections", ["payment.returned"], on_returned, in_transaction=False)
