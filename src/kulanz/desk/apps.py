"""Registers the room with Django."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "kulanz.desk"
    label = "desk"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kulanz.claims.personal.registry import keep  # noqa: PLC0415 - models are not loaded before
        from kulanz.desk import kept  # noqa: PLC0415

        keep(kept.TABLES)
