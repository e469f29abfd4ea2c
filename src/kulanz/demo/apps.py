"""Registers the room with Django."""

from django.apps import AppConfig

from kulanz.kernel import clock
from kulanz.kernel.settings import settings


class DemoConfig(AppConfig):
    name = "kulanz.demo"
    label = "demo"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        start = settings().clock_start
        if start is not None:
            clock.begin_at(start)
