"""The customers' mailbox of a simulated creditor, to be opened in the browser."""

import email
import zlib
from email.message import Message

from csp.decorators import csp_replace, csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from kulanz.demo.models import ReceivedMail
from kulanz.documents.staff import Staff, page, staff_view
from kulanz.tenancy.models import Role

PAGE = 50
_AS_SENT = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox", "allow-top-navigation-by-user-activation"],
}


@require_GET
@staff_view(Role.VIEWER)
def inbox(request: HttpRequest, staff: Staff) -> HttpResponse:
    """The newest messages, or those to one address."""
    text, before = request.GET.get("q", "").strip()[:320], request.GET.get("before", "")
    rows = ReceivedMail.objects.order_by("-id").defer("source")
    if text:
        rows = rows.filter(recipient__istartswith=text)
    if before.isascii() and before.isdigit():
        rows = rows.filter(id__lt=int(before[:18]))
    mails = list(rows[: PAGE + 1])
    more = mails[PAGE - 1].id if len(mails) > PAGE else None
    return page(request, staff, "demo/inbox.html", {"mails": mails[:PAGE], "q": text, "more": more})


@csp_update({"frame-src": ["'self'"]})
@require_GET
@staff_view(Role.VIEWER)
def letter(request: HttpRequest, staff: Staff, mail_id: int) -> HttpResponse:
    mail = _mail(mail_id)
    message = email.message_from_bytes(zlib.decompress(bytes(mail.source)))
    headers = [
        (name, str(message[name])) for name in ("From", "To", "Subject", "List-Unsubscribe") if message[name]
    ]
    return page(
        request,
        staff,
        "demo/letter.html",
        {"mail": mail, "headers": headers, "text": _part(message, "plain")},
    )


@xframe_options_sameorigin
@csp_replace(_AS_SENT)
@require_GET
@staff_view(Role.VIEWER)
def as_sent(request: HttpRequest, staff: Staff, mail_id: int) -> HttpResponse:
    """The HTML part alone, as a mail program shows it: no scripts, nothing loaded from elsewhere."""
    message = email.message_from_bytes(zlib.decompress(bytes(_mail(mail_id).source)))
    html = _part(message, "html").replace("<head>", '<head><base target="_top">', 1)
    return HttpResponse(html)


def _mail(mail_id: int) -> ReceivedMail:
    found: ReceivedMail | None = ReceivedMail.objects.filter(id=mail_id).first()
    if found is None:
        raise Http404
    return found


def _part(message: Message, kind: str) -> str:
    for part in message.walk():
        if part.get_content_type() == f"text/{kind}":
            content = part.get_payload(decode=True)
            return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
    return ""
