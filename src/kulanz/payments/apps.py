"""Registers the room with Django."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "kulanz.payments"
    label = "payments"
    default_auto_field = "django.db.models.BigAutoField"
