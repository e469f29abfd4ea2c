"""Registers the room with Django."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "kulanz.events"
    label = "events"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kulanz.events import tenancy  # noqa: PLC0415 - models are ready only now

        tenancy.connect()
