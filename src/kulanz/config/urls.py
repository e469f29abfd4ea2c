"""Every page of the installation."""

from importlib.util import find_spec

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
    *(
        path(prefix, include(module))
        for prefix, module in [
            ("", "kulanz.portal.urls"),
            ("webhooks/", "kulanz.payments.urls"),
            ("desk/", "kulanz.desk.urls"),
            ("insights/", "kulanz.insights.urls"),
            ("mailbox/", "kulanz.demo.urls"),
        ]
        if find_spec(module)
    ),
]
