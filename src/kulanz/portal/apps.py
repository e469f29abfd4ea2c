"""Registers the room with Django."""

from django.apps import AppConfig

from kulanz.portal import logs


class PortalConfig(AppConfig):
    name = "kulanz.portal"
    label = "portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        logs.install()
