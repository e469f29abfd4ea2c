"""The example of a payment method passes the suite, and Kulanz finds it as it finds any installed package."""

import json
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from kulanz.kernel import clock
from kulanz.kernel.errors import KulanzError
from kulanz.payments import signature
from kulanz.payments.methods import registry
from kulanz.payments.methods.port import PaymentMethod, ProviderError
from kulanz.testing.payment_conformance import PAYEE, PaymentMethodConformance

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "cash_code"
SECRET = "till-secret"


@pytest.fixture(autouse=True)
def example(monkeypatch):
    """The package importable, as if installed."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    yield
    sys.modules.pop("kulanz_cash_code", None)


class Tillcode:
    """The invented provider, in process."""

    def __init__(self) -> None:
        self.codes: dict[str, dict[str, object]] = {}
        self.keys: dict[str, str] = {}
        self.call = (b"", {})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != "Bearer key":
            return httpx.Response(401)
        if request.method == "POST":
            return httpx.Response(201, json=self._made(request))
        found = self.codes.get(request.url.path.rsplit("/", 1)[1])
        return httpx.Response(404) if found is None else httpx.Response(200, json=found)

    def _made(self, request: httpx.Request) -> dict[str, object]:
        asked = json.loads(request.content)
        number = self.keys.setdefault(request.headers["idempotency-key"], f"{4000 + len(self.keys)}")
        code = {name: asked[name] for name in ("cents", "client_reference")}
        return self.codes.setdefault(
            number, code | {"number": number, "state": "open", "at": clock.now().isoformat()}
        )

    def pay(self, number: str) -> None:
        self.codes[number]["state"] = "paid"
        body = json.dumps({"event": f"ev-{number}", "code": self.codes[number]}).encode()
        self.call = (body, {"tillcode-signature": signature.sign(body, SECRET, clock.now())})


class TestCashCode(PaymentMethodConformance):
    def make(self) -> PaymentMethod:
        from kulanz_cash_code import CashCode  # noqa: PLC0415 - importable inside the fixture only

        self.till = Tillcode()
        transport = httpx.MockTransport(self.till)
        return CashCode(
            "https://api.tillcode.example", "https://tillcode.example", "key", SECRET, transport=transport
        )

    def pay(self, provider_reference: str) -> None:
        self.till.pay(provider_reference)

    def call(self) -> tuple[bytes, dict[str, str]]:
        return self.till.call

    def test_a_sum_that_no_shop_takes_is_refused_before_anything_is_asked(self) -> None:
        method = self.make()
        with pytest.raises(ProviderError, match=r"1,000 euros"):
            method.begin(self.order(amount=100_000))
        assert not self.till.codes
        assert method.begin(self.order(amount=99_999))
        assert not method.available(replace(PAYEE, currency="CHF"))


@pytest.fixture
def installed_package(tmp_path, monkeypatch):
    """What an installer writes beside a package: its metadata with the entry points of the example's own file."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    info = tmp_path / f"kulanz_cash_code-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = project["entry-points"][registry.GROUP]
    lines = [f"[{registry.GROUP}]", *(f"{name} = {where}" for name, where in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._configured.cache_clear()
    yield
    registry._configured.cache_clear()


def test_the_installed_package_is_found_where_it_is_set_up(installed_package, monkeypatch) -> None:
    assert "cash_code" not in registry.methods()
    for name in ("URL", "PAGES"):
        monkeypatch.setenv(f"TILLCODE_{name}", "https://tillcode.example")
    for name in ("KEY", "SECRET"):
        monkeypatch.setenv(f"TILLCODE_{name}", "x")
    registry._configured.cache_clear()
    assert list(registry.offered(PAYEE, ("cash_code", "transfer"))) == ["cash_code", "transfer"]
    assert registry.get("cash_code").title("de") == "Bar im Geschäft"


def test_answers_that_cannot_be_read_are_errors() -> None:
    from kulanz_cash_code import CashCode  # noqa: PLC0415 - importable inside the fixture only

    for content in (b"[]", b"{}", b"no", b'{"number":"1","state":"odd","at":"x"}'):
        transport = httpx.MockTransport(lambda _, body=content: httpx.Response(200, content=body))
        method = CashCode("https://a.example", "https://p.example", "key", SECRET, transport=transport)
        with pytest.raises(KulanzError):
            method.status("1")
