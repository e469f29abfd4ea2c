"""A simulated customer's browser: opens the real pages in process and fills in the forms that are on them."""

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin, urlsplit

import httpx
from django.conf import settings
from django.test import Client

from kulanz.kernel.errors import KulanzError

_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.S)
_FIELD = re.compile(r"<(?:input|button)\b([^>]*)>")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ATTRIBUTE = re.compile(r"""([a-z_-]+)=["']([^"']*)["']""")


class PageError(KulanzError):
    """A page did not offer what a customer was going to do."""


@dataclass(frozen=True, slots=True)
class Page:
    """What came back: the address after redirects within the site, the status and the text."""

    url: str
    status: int
    text: str


class Visitor:
    """One browser for all simulated customers: pages are opened by capability links and keep no session."""

    def __init__(self, psp: httpx.Client) -> None:
        self._site = settings.PUBLIC_URL
        self._client = Client(SERVER_NAME=urlsplit(self._site).hostname or "localhost")
        self._psp = psp

    def get(self, url: str) -> Page:
        return self._follow(url, self._client.get(self._path(url)))

    def submit(self, page: Page, action: str, **fields: str) -> Page:
        """Fill in the form on `page` whose address ends in `action`; other hidden fields and buttons go along."""
        for attributes, inside in _FORM.findall(page.text):
            target = urljoin(page.url, unescape(dict(_ATTRIBUTE.findall(attributes)).get("action", "")))
            if urlsplit(target).path.endswith(action):
                return self._post(target, _hidden(inside) | fields)
        raise PageError(f"A customer found no form {action!r} where one was expected (status {page.status}).")

    def choices(self, page: Page, name: str) -> list[str]:
        """The ISO days that the radio buttons called `name` offer."""
        found = (dict(_ATTRIBUTE.findall(attributes)) for attributes in _FIELD.findall(page.text))
        values = [f.get("value", "") for f in found if f.get("name") == name and f.get("type") == "radio"]
        return [value for value in values if _DAY.fullmatch(value)]

    def one_click(self, url: str) -> None:
        """What a mail program does when its reader presses unsubscribe (RFC 8058)."""
        self._client.post(self._path(url), {"List-Unsubscribe": "One-Click"})

    def _post(self, url: str, fields: dict[str, str]) -> Page:
        if url.startswith(self._site):
            return self._follow(url, self._client.post(self._path(url), fields))
        answer = self._psp.post(url, data=fields)
        return self._elsewhere(url, answer)

    def _follow(self, url: str, answer: object) -> Page:
        status = answer.status_code  # type: ignore[attr-defined]
        if status in (301, 302, 303):
            target = urljoin(url, answer["Location"])  # type: ignore[index]
            if target.startswith(self._site):
                return self.get(target)
            return self._elsewhere(target, self._psp.get(target))
        return Page(url, status, answer.content.decode())  # type: ignore[attr-defined]

    def _elsewhere(self, url: str, answer: httpx.Response) -> Page:
        """A page of the payment provider; its way back leads to the site again."""
        if answer.is_redirect:
            target = urljoin(url, answer.headers["location"])
            return (
                self.get(target)
                if target.startswith(self._site)
                else self._elsewhere(target, self._psp.get(target))
            )
        return Page(url, answer.status_code, answer.text)

    def _path(self, url: str) -> str:
        return url.removeprefix(self._site)


def _hidden(form: str) -> dict[str, str]:
    fields = {}
    for attributes in _FIELD.findall(form):
        found = dict(_ATTRIBUTE.findall(attributes))
        if found.get("name") and found.get("type") == "hidden":
            fields[found["name"]] = unescape(found.get("value", ""))
    return fields
