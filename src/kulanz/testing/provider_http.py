"""What simulated providers share over HTTP: an API that answers JSON, and a hosted page with buttons and no scripts."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

from kulanz.kernel.money import Money
from kulanz.testing.psp_http import CSS, WORDS, threaded_server

_MAX_BODY = 64 * 1024


class Refused(Exception):  # noqa: N818 - an answer, not a fault of the simulator
    """The API answers with another status than 200."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body)
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Request:
    """One call of the API; header names in lower case."""

    verb: str
    path: list[str]
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


Page = tuple[str, int, str, bool]
"""Language, amount in minor units, currency, and whether it can still be paid."""


class Hosted:
    """A WSGI application: everything below /c/ is the hosted page, all else the API."""

    def __init__(
        self,
        answer: Callable[[Request], dict[str, Any]],
        page: Callable[[list[str]], Page],
        press: Callable[[list[str], str], str],
        *,
        created: frozenset[str] = frozenset(),
    ) -> None:
        self._answer_api, self._page, self._press, self._created = answer, page, press, created

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = _request(environ)
        try:
            if request.path[:1] == ["c"]:
                status, headers, body = self._hosted(request)
            else:
                made = request.verb == "POST" and request.path[0] in self._created
                status, headers, body = _json(201 if made else 200, self._answer_api(request))
        except Refused as refused:
            status, headers, body = _json(refused.status, refused.body)
        headers["Content-Length"] = str(len(body))
        start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
        return [body]

    def _hosted(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        if request.verb == "POST":
            button = dict(parse_qsl(request.body.decode())).get("button", "back")
            return 303, {"Location": self._press(request.path, button)}, b""
        language, amount, currency, is_open = self._page(request.path)
        page = _written(language, Money(amount, currency), is_open=is_open)
        return 200, {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}, page.encode()


@contextmanager
def serve_app(app: Hosted, port: int = 0) -> Iterator[str]:
    """Serve on 127.0.0.1 (port 0: any free one); yields the address."""
    with threaded_server(app, port) as url:
        yield url


def _written(language: str, amount: Money, *, is_open: bool) -> str:
    words = WORDS.get(language, WORDS["en"])
    note, pays, _, pay, _, cancel, done, back, title = words
    later = "SEPA-Lastschrift" if language == "de" else "SEPA debit"
    buttons = (
        [("pay", "go", pay), ("later", "", later), ("back", "", cancel)] if is_open else [("back", "", back)]
    )
    forms = "".join(
        f'<form method="post"><input type="hidden" name="button" value="{name}">'
        f'<button class="{style}">{escape(words_)}</button></form>'
        for name, style, words_ in buttons
    )
    shown = escape(amount.format(language))
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f'<style>{CSS}</style></head><body><main><p class="note">{note}</p><h1>{pays}</h1>'
        f"<p class=sum>{shown}</p>{'' if is_open else f'<p>{done}</p>'}{forms}</main></body></html>"
    )


def _request(environ: WSGIEnvironment) -> Request:
    length = min(int(environ.get("CONTENT_LENGTH") or 0), _MAX_BODY)
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return Request(
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"].strip("/").split("/"),
        dict(parse_qsl(environ.get("QUERY_STRING", ""))),
        environ["wsgi.input"].read(length) if length else b"",
        headers,
    )


def _json(status: int, content: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()
