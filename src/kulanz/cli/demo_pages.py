"""The pages of a finished time-lapse: the site, the payment simulator and a worker, on one machine."""

import os
import subprocess
import sys
from datetime import datetime
from urllib.parse import urlsplit

from kulanz.config.server import serve_forever
from kulanz.demo.play import Webhooks
from kulanz.kernel import clock
from kulanz.kernel.errors import KulanzError
from kulanz.kernel.settings import settings
from kulanz.testing.psp import PspSimulator, serve
from kulanz.testing.webhooks import http_sender


def serve_demo(provider: PspSimulator, webhooks: Webhooks, begin_at: datetime) -> None:
    """Serve until interrupted, with the clock of all processes running on from `begin_at`.

    `provider` goes on with the checkouts that it knows from the time-lapse.
    """
    env = settings()
    clock.begin_at(begin_at)
    webhooks.over_http = http_sender()
    os.environ["KULANZ_CLOCK_START"] = begin_at.isoformat()
    site, psp = urlsplit(env.public_url), urlsplit(env.psp_url)
    worker = subprocess.Popen([sys.executable, "-m", "kulanz.cli", "worker"])
    try:
        with serve(provider, psp.port or 0):
            serve_forever(site.hostname or "127.0.0.1", site.port or 8000)
    except OSError as error:
        raise KulanzError(f"A port is taken ({error}); set KULANZ_PUBLIC_URL and KULANZ_PSP_URL.") from error
    finally:
        worker.terminate()
        worker.wait(timeout=15)
