"""Registers the room with Django."""

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "kulanz.tenancy"
    label = "tenancy"
    default_auto_field = "django.db.models.BigAutoField"
