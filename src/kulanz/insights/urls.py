"""Pages under /insights/."""

from django.urls import path

from kulanz.insights import views

app_name = "insights"
urlpatterns = [
    path("<slug:slug>/", views.dashboard, name="dashboard"),
    path("<slug:slug>/stream", views.stream, name="stream"),
]
