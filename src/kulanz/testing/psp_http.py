"""The simulated provider over HTTP: its API and the page on which a customer pays, without scripts."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hmac import compare_digest
from html import escape
from http import HTTPStatus
from socketserver import ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.kernel.money import Money

if TYPE_CHECKING:
    from kulanz.testing.psp import Checkout, PspSimulator

_MAX_BODY = 64 * 1024
_Answer = tuple[int, dict[str, str], bytes]
WORDS = {
    "de": ("Simulation: Hier wird kein Geld bewegt.", "Sie zahlen", "an", "Jetzt zahlen", "Zahlung ablehnen lassen",
           "Abbrechen und zurück", "Diese Zahlung ist abgeschlossen.", "Zurück", "Test-Kasse"),
    "en": ("Simulation: no money moves here.", "You pay", "to", "Pay now", "Let the payment be declined",
           "Cancel and go back", "This payment is finished.", "Back", "Test checkout"),
}  # fmt: skip
CSS = (
    "body{font:18px/1.5 system-ui,sans-serif;margin:0;background:#eef1f5;color:#14202b}"
    "main{max-width:26rem;margin:8vh auto;padding:1.5rem 1.5rem 2rem;background:#fff;border-radius:.75rem}"
    "h1{font-size:1rem;margin:0;font-weight:600}.sum{font-size:2.25rem;font-weight:700;margin:.25rem 0 1.25rem}"
    "p{margin:.25rem 0}.note{background:#fff3c4;padding:.5rem .75rem;border-radius:.4rem;margin-bottom:1.25rem}"
    "button,a.b{display:block;width:100%;box-sizing:border-box;padding:.8rem;margin:.5rem 0;font:inherit;"
    "font-weight:600;border-radius:.5rem;border:2px solid #14456b;background:#fff;color:#14456b;text-align:center}"
    "button.go{background:#14456b;color:#fff}:focus-visible{outline:3px solid #e08a00;outline-offset:2px}"
)


class Application:
    """The WSGI application of one simulator."""

    def __init__(self, simulator: "PspSimulator") -> None:
        self._psp = simulator

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            status, headers, body = self._answer(environ)
        except NotFoundError as error:
            status, headers, body = _json(404, {"error": str(error)})
        except ConflictError as error:
            status, headers, body = _json(409, {"error": str(error)})
        except InputError as error:
            status, headers, body = _json(422, {"error": str(error)})
        headers["Content-Length"] = str(len(body))
        start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> _Answer:
        verb, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].strip("/").split("/")
        if self._psp.outage:
            return _json(503, {"error": "The provider is down."})
        if path[0] == "v1":
            given = environ.get("HTTP_AUTHORIZATION", "")
            if not compare_digest(given.encode(), f"Bearer {self._psp.api_key}".encode()):
                return _json(401, {"error": "The API key is wrong."})
            return self._api(verb, path[1:], environ)
        if path[0] == "checkout" and len(path) in (2, 3):
            return self._customer(verb, path[1:])
        raise NotFoundError("There is nothing here.")

    def _api(self, verb: str, path: list[str], environ: WSGIEnvironment) -> _Answer:
        match verb, path:
            case "POST", ["checkouts"]:
                key = environ.get("HTTP_IDEMPOTENCY_KEY", "")
                if not key:
                    raise InputError("Idempotency-Key is missing.")
                return _json(201, self._psp.view(self._psp.create(key, _body(environ))))
            case "GET", ["checkouts", number]:
                return _json(200, self._psp.view(self._psp.find(number)))
            case "POST", ["checkouts", number, "return"]:
                amount = _body(environ).get("amount")
                return _json(200, self._psp.view(self._psp.take_back(number, amount)))
        raise NotFoundError("There is nothing here.")

    def _customer(self, verb: str, path: list[str]) -> _Answer:
        checkout = self._psp.find(path[0])
        steps: dict[str, Callable[[str], object]] = {
            "pay": self._psp.pay,
            "decline": self._psp.decline,
            "cancel": self._psp.cancel,
        }
        if len(path) == 1 and verb == "GET":
            return _html(_page(checkout))
        if len(path) == 2 and verb == "POST" and path[1] in steps:
            steps[path[1]](checkout.id)
            return 303, {"Location": checkout.return_url}, b""
        raise NotFoundError("There is nothing here.")


def _page(checkout: "Checkout") -> str:
    language = checkout.language if checkout.language in WORDS else "en"
    note, pays, to, pay, decline, cancel, done, back, title = WORDS[language]
    amount = escape(Money(checkout.amount, checkout.currency).format(language))
    base = f"/checkout/{escape(checkout.id)}"
    if checkout.state(clock.now())[1] == "open":
        forms = "".join(
            f'<form method="post" action="{base}/{step}"><button class="{style}">{words}</button></form>'
            for step, style, words in (("pay", "go", pay), ("decline", "", decline), ("cancel", "", cancel))
        )
    else:
        forms = f'<p>{done}</p><a class="b" href="{escape(checkout.return_url)}">{back}</a>'
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f'<style>{CSS}</style></head><body><main><p class="note">{note}</p>'
        f"<h1>{pays}</h1><p class=sum>{amount}</p><p>{to} {escape(checkout.payee)}</p>"
        f"<p>{escape(checkout.description)}</p>{forms}</main></body></html>"
    )


def _body(environ: WSGIEnvironment) -> dict[str, Any]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > _MAX_BODY:
        raise InputError("The body is too long.")
    try:
        found = json.loads(environ["wsgi.input"].read(length) if length else environ["wsgi.input"].read())
    except ValueError:
        raise InputError("The body is not JSON.") from None
    if not isinstance(found, dict):
        raise InputError("The body is not a JSON object.")
    return found


def _json(status: int, content: dict[str, Any]) -> _Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()


def _html(page: str) -> _Answer:
    headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
    return 200, headers, page.encode()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Addresses may hold tokens: nothing is logged."""


@contextmanager
def threaded_server(app: WSGIApplication, port: int = 0) -> Iterator[str]:
    """Serve a WSGI app on 127.0.0.1 in a thread; yields its address."""
    server = make_server("127.0.0.1", port, app, server_class=_Server, handler_class=_Quiet)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=15)
