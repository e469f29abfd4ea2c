"""The dashboard and its live stream."""

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from kulanz.documents.staff import Staff, page, staff_of, staff_view
from kulanz.insights.dashboard import dashboard as read_dashboard
from kulanz.insights.live import Stream
from kulanz.tenancy.models import Role


@require_GET
@staff_view(Role.VIEWER)
def dashboard(request: HttpRequest, staff: Staff) -> HttpResponse:
    return page(
        request,
        staff,
        "insights/dashboard.html",
        {"board": read_dashboard(staff.creditor, get_language() or "en"), "nav": "dashboard"},
    )


async def stream(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Server-sent events `payment` and `figures`; resumes after the browser's Last-Event-ID.

    Under WSGI, where a stream would block a worker, the answer is 204: the browser then stays with the page as it is.
    """
    staff = await sync_to_async(staff_of)(request, slug)
    if not isinstance(request, ASGIRequest):
        return HttpResponse(status=204)
    seen = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    after = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else 0
    response = StreamingHttpResponse(
        Stream(staff, get_language() or "en", after).chunks(), content_type="text/event-stream"
    )
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response
