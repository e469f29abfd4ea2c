"""One ASGI process that serves the pages and the live stream."""

from granian import Granian
from granian.constants import Interfaces


def serve_forever(host: str, port: int) -> None:
    """Serve until interrupted."""
    Granian(
        "kulanz.config.asgi:application",
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        workers=1,
        log_access=False,
        websockets=False,
        workers_kill_timeout=5,
    ).serve()
