"""The demo's own settings: its database, secret, mailbox and payment provider. Set before Django starts."""

import os
import secrets
from pathlib import Path

SITE = "http://127.0.0.1:8000"
PROVIDER = "http://127.0.0.1:8801"
FOLDER = Path("var")
DATABASE = FOLDER / "demo.db"


def prepare() -> None:
    """Point this process and its children at a database made anew; anything set by hand for these names is kept."""
    FOLDER.mkdir(exist_ok=True)
    for path in (DATABASE, *(Path(f"{DATABASE}{end}") for end in ("-wal", "-shm"))):
        path.unlink(missing_ok=True)
    os.environ.update(
        KULANZ_DATABASE_URL=f"sqlite:///{DATABASE}",
        KULANZ_SECRET_KEY=_secret(),
        KULANZ_MAIL_BACKEND="kulanz.demo.mailbox.MailboxBackend",
        KULANZ_PSP_API_KEY=secrets.token_urlsafe(24),
        KULANZ_PSP_WEBHOOK_SECRET=secrets.token_urlsafe(24),
    )
    os.environ.setdefault("KULANZ_PUBLIC_URL", SITE)
    os.environ.setdefault("KULANZ_PSP_URL", PROVIDER)


def _secret() -> str:
    path = FOLDER / "demo.secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()
