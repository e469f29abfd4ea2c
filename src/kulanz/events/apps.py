"""Registers the room with Django."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "kulanz.events"
    label = "events"
    default_auto_field = "django.db.models.BigAutoField"
