"""How customers recognise a creditor: a public page without a token, so that it can be printed on letters."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kulanz.kernel.errors import NotFoundError
from kulanz.portal.access import public_page
from kulanz.portal.look import look
from kulanz.tenancy.models import Brand
from kulanz.tenancy.scope import every_creditor, scope

_SHOWN_OF_IBAN = 4


@require_safe
def genuine(request: HttpRequest, brand_id: int) -> HttpResponse:
    """Who writes, from where, and to whom one pays; nothing about any customer."""
    with every_creditor("brands are public"):
        creditor = Brand.objects.filter(id=brand_id).values_list("creditor_id", flat=True).first()
    if creditor is None:
        raise Http404
    with scope(creditor):
        try:
            found = look()
        except NotFoundError:
            raise Http404 from None
    if found.brand_id != brand_id:
        raise Http404
    context = {"site": f"{settings.PUBLIC_URL}/p/", "last": found.iban[-_SHOWN_OF_IBAN:]}
    return public_page(request, found, "genuine", context)
