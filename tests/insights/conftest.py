"""A staff login, the site in a process of its own over ASGI, and a browser."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from kulanz.tenancy.actions import add_user
from kulanz.tenancy.models import Creditor, Role

PASSWORD = "a-long-pass-phrase"


@pytest.fixture
def login(creditor: Creditor) -> Callable[..., Client]:
    """A client that is logged in with a role at the creditor of the test, or at another."""

    def log_in(role: Role = Role.VIEWER, at: Creditor = creditor, language: str = "de") -> Client:
        client = Client(headers={"accept-language": language})
        client.force_login(add_user(f"{role}-{at.slug}", PASSWORD, at, role))
        return client

    return log_in


@pytest.fixture
def asgi_url(committed_db: None) -> Iterator[str]:
    """The whole site in another process, on the test's own database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "KULANZ_DATABASE_URL": _database_url(),
        "KULANZ_SECRET_KEY": settings.SECRET_KEY,
        "KULANZ_PUBLIC_URL": url,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
    }
    command = [sys.executable, "-m", "granian", "--interface", "asginl", "--workers-kill-timeout", "2"]
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port), "kulanz.config.asgi:application"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(f"{url}/healthz")
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


def _database_url() -> str:
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    login = ":".join(filter(None, [found["USER"], found["PASSWORD"]]))
    return f"postgresql://{login}@{found['HOST']}:{found['PORT'] or 5432}/{found['NAME']}"


def _await(url: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            httpx.get(url, timeout=30)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the server did not answer at {url}")
