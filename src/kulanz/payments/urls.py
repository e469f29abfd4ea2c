"""Mounted under /webhooks/."""

from django.urls import path

from kulanz.payments import views

app_name = "payments"
urlpatterns = [path("<slug:method>/", views.webhook, name="webhook")]
