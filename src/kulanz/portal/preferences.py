"""Preferences and one-click unsubscribe (RFC 8058). Both still work when the link has expired."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from kulanz.claims.models import Customer
from kulanz.contact.actions import withdraw
from kulanz.contact.models import ContactPoint
from kulanz.contact.profiling import object_to_profiling, take_objection_back
from kulanz.portal import actions, rules, shown
from kulanz.portal.access import LANGUAGES, NAMES, Page, SeeOther, link_view


@link_view("GET", "HEAD", "POST", depth=1, expired_ok=True)
def preferences(request: HttpRequest, page: Page) -> HttpResponse:
    """Which channels may be used, and in which language."""
    customer = page.statement.customer_id
    points = _points(customer)
    if request.method == "POST":
        chosen = set(request.POST.getlist("channel"))
        language = request.POST.get("language", "")
        actions.prefer(
            customer,
            {channel: channel in chosen for channel in points},
            language if language in LANGUAGES else page.statement.language,
            proof=f"preferences page of link {page.link.link_id}",
        )
        return SeeOther("?saved=1")
    refused = actions.refused_channels(customer)
    context = {
        "channels": [
            (code, shown.channel_name(code), rules.masked_point(value), code not in refused)
            for code, value in points.items()
        ],
        "objected": Customer.objects.filter(id=customer, ladder_only=True).exists(),
        "saved": "saved" in request.GET,
        "chosen_language": page.statement.language[:2],
        "languages": tuple(NAMES.items()),
    }
    return page.render(request, "preferences", context)


@link_view("POST", depth=1, expired_ok=True)
def profiling(request: HttpRequest, page: Page) -> HttpResponse:
    """Object, or take the objection back. The link is enough: objecting must be as easy as being written to."""
    change = take_objection_back if request.POST.get("wish") == "back" else object_to_profiling
    change(page.statement.customer_id, proof=f"preferences page of link {page.link.link_id}")
    return SeeOther("../preferences/?saved=1")


@csrf_exempt
@link_view("GET", "HEAD", "POST", depth=1, expired_ok=True)
def unsubscribe(request: HttpRequest, page: Page) -> HttpResponse:
    """POST, by a mail program or the button: no more reminders by e-mail. GET only asks."""
    done = request.method == "POST"
    if done:
        withdraw(
            page.statement.customer_id, "email", proof=f"one-click unsubscribe of link {page.link.link_id}"
        )
    return page.render(request, "unsubscribe", {"done": done})


def _points(customer_id: int) -> dict[str, str]:
    """One address per channel that is in use, e-mail always among them when there is one."""
    rows = ContactPoint.objects.filter(customer_id=customer_id, state=ContactPoint.State.OK)
    return dict(rows.order_by("-id").values_list("channel", "value"))
