"""Registers the room with Django."""

from django.apps import AppConfig


class OutreachConfig(AppConfig):
    name = "kulanz.outreach"
    label = "outreach"
    default_auto_field = "django.db.models.BigAutoField"
