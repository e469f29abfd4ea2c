"""Registers the room with Django."""

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "kulanz.documents"
    label = "documents"
    default_auto_field = "django.db.models.BigAutoField"
