"""Registers the room with Django."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "kulanz.portal"
    label = "portal"
    default_auto_field = "django.db.models.BigAutoField"
