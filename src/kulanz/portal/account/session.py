"""Who is signed in: a signed cookie that names a login, for one customer and for as long as somebody is there."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.core import signing
from django.http import HttpRequest, HttpResponse

from kulanz.contact.login.actions import is_signed_in
from kulanz.kernel import clock
from kulanz.portal.access import P, Page, SeeOther, View, link_view

COOKIE = "kulanz_account"
IDLE = timedelta(minutes=20)
_SALT = "kulanz.portal.account"


def account_view(*verbs: str, depth: int) -> Callable[[View[P]], Callable[..., HttpResponse]]:
    """A `link_view` for the signed-in customer of the link alone; others are asked to sign in."""

    def wrap(view: View[P]) -> Callable[..., HttpResponse]:
        @link_view(*verbs, depth=depth)
        @wraps(view)
        def inner(request: HttpRequest, page: Page, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            login_id = login_of(request, page)
            if not login_id:
                return SeeOther(f"{page.home}account/")
            response = view(request, page, *args, **kwargs)
            remember(request, response, login_id)
            return response

        return inner

    return wrap


def login_of(request: HttpRequest, page: Page) -> int:
    """The login of the link's customer that the browser carries, else 0."""
    try:
        login_id, at = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT)
    except signing.BadSignature:
        return 0
    fresh = clock.now().timestamp() - at < IDLE.total_seconds()
    return login_id if fresh and is_signed_in(login_id, page.statement.customer_id) else 0


def remember(request: HttpRequest, response: HttpResponse, login_id: int) -> None:
    """Keep the login for another IDLE, as long as the browser stays open."""
    value = signing.dumps([login_id, int(clock.now().timestamp())], salt=_SALT)
    secure = request.is_secure()
    response.set_cookie(COOKIE, value, path="/p/", secure=secure, httponly=True, samesite="Lax")


def forget(response: HttpResponse) -> None:
    response.delete_cookie(COOKIE, path="/p/", samesite="Lax")
