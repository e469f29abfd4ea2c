"""Opens a customer's page by its link: tenant scope, language, brand and headers for every view of the portal."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from kulanz.claims.paper import law_language
from kulanz.claims.queries import Statement, statement
from kulanz.kernel.errors import NotFoundError
from kulanz.kernel.money import Money
from kulanz.payments import links
from kulanz.portal.look import Look, look
from kulanz.tenancy.scope import scope

P = ParamSpec("P")
NAMES = {
    "de": "Deutsch",
    "en": "English",
    "fr": "Français",
    "es": "Español",
    "pl": "Polski",
    "tr": "Türkçe",
    "ar": "العربية",
}
LANGUAGES = tuple(NAMES)
RIGHT_TO_LEFT = frozenset({"ar"})
_LANGUAGE_DAYS = 365


@dataclass(frozen=True, slots=True)
class Page:
    """What every view of a link may show. `home` is the relative address of the link's first page."""

    link: links.OpenLink
    look: Look
    statement: Statement
    language: str
    home: str

    def money(self, minor: int) -> str:
        return Money(minor, self.statement.currency).format(self.language)

    def render(
        self, request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        shown = {
            **_frame(self.look, self.language, self.home),
            "statement": self.statement,
            **(context or {}),
        }
        return render(request, f"portal/{template}.html", shown, status=status)


class SeeOther(HttpResponseRedirect):
    """After a form: the browser fetches the next page."""

    status_code = 303


View = Callable[Concatenate[HttpRequest, Page, P], HttpResponse]


def link_view(
    *verbs: str, depth: int, expired_ok: bool = False
) -> Callable[[View[P]], Callable[..., HttpResponse]]:
    """A view that gets a `Page` for the token in its address; `depth` is how far below the first page it lies."""

    def wrap(view: View[P]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def inner(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method not in verbs:
                return HttpResponseNotAllowed(verbs)
            home = "../" * depth or "./"
            try:
                link = links.resolve(token, expired_ok=expired_ok)
                with scope(link.creditor_id):
                    page = _page(request, link, home)
                    with translation.override(page.language):
                        response = view(request, page, *args, **kwargs)
            except NotFoundError:
                response = not_found(request)
            except links.ExpiredError as expired:
                response = _expired(request, expired, home)
            return _sealed(request, response)

        return inner

    return wrap


def not_found(request: HttpRequest) -> HttpResponse:
    """The friendly page for an address that opens nothing; it names no creditor."""
    language = _language(request, "")
    with translation.override(language):
        return render(request, "portal/not_found.html", _spoken(language), status=404)


def public_page(request: HttpRequest, shown: Look, template: str, context: dict[str, Any]) -> HttpResponse:
    """A creditor's page that needs no token, in the language asked for, else the creditor's own."""
    return _sealed(request, _without_case(request, shown, template, {"home": "", **context}, 200))


def _expired(request: HttpRequest, expired: links.ExpiredError, home: str) -> HttpResponse:
    with scope(expired.creditor_id):
        shown = look()
    return _without_case(request, shown, "expired", {"home": home, "renewable": not expired.revoked}, 410)


def _without_case(
    request: HttpRequest, shown: Look, template: str, context: dict[str, Any], status: int
) -> HttpResponse:
    language = _language(request, "", otherwise=shown.language[:2])
    with translation.override(language):
        frame = {"look": shown, **_spoken(language), **context}
        return render(request, f"portal/{template}.html", frame, status=status)


def _page(request: HttpRequest, link: links.OpenLink, home: str) -> Page:
    found = statement(link.case_id)
    return Page(link, look(), found, _language(request, found.language), home)


def _frame(shown: Look, language: str, home: str) -> dict[str, Any]:
    return {"look": shown, "home": home, **_spoken(language)}


def _language(request: HttpRequest, customers: str, otherwise: str = "en") -> str:
    """Chosen on the page, else the customer's own, else the browser's, else `otherwise` or English."""
    for wanted in (
        request.GET.get("lang"),
        request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME),
        customers[:2],
    ):
        if wanted in LANGUAGES:
            return wanted
    asked = (tag[:2] for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")))
    return next((code for code in (*asked, otherwise) if code in LANGUAGES), "en")


def _spoken(language: str) -> dict[str, Any]:
    """The page's language, its direction and the others to choose from."""
    return {
        "language": language,
        "language_name": NAMES[language],
        "direction": "rtl" if language in RIGHT_TO_LEFT else "ltr",
        "law_language": law_language(language),
        "other": tuple((code, name) for code, name in NAMES.items() if code != language),
    }


def _sealed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Headers of every page behind a token.

    The referrer stays on this site: a page without any referrer would make browsers send `Origin: null` with its forms.
    """
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    if request.GET.get("lang") in LANGUAGES:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            request.GET["lang"],
            max_age=_LANGUAGE_DAYS * 86_400,
            path="/p/",
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response
