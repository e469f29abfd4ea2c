"""Registers the room with Django."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "kulanz.desk"
    label = "desk"
    default_auto_field = "django.db.models.BigAutoField"
