"""Every page of the installation."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView


def healthz(request: HttpRequest) -> HttpResponse:
    """Says that the process answers; for load balancers."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="desk:home"), name="root"),
    path("healthz", healthz, name="healthz"),
    path("accounts/", include("allauth.urls")),
    path("", include("kulanz.portal.urls")),
    path("webhooks/", include("kulanz.payments.urls")),
    path("desk/", include("kulanz.desk.urls")),
    path("insights/", include("kulanz.insights.urls")),
    path("mailbox/", include("kulanz.demo.urls")),
]
