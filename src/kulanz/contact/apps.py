"""Registers the room with Django."""

from django.apps import AppConfig


class ContactConfig(AppConfig):
    name = "kulanz.contact"
    label = "contact"
    default_auto_field = "django.db.models.BigAutoField"
