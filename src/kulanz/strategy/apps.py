"""Registers the room with Django."""

from django.apps import AppConfig


class StrategyConfig(AppConfig):
    name = "kulanz.strategy"
    label = "strategy"
    default_auto_field = "django.db.models.BigAutoField"
