"""What an operator sets through environment variables named KULANZ_*."""

from datetime import datetime
from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One field per variable; see docs/deployment.md for what each does."""

    model_config = SettingsConfigDict(env_prefix="KULANZ_", env_file=None, extra="ignore")

    database_url: str = "sqlite:///var/kulanz.db"
    secret_key: SecretStr | None = None
    debug: bool = False
    public_url: str = "http://127.0.0.1:8000"
    allowed_hosts: list[str] = Field(default_factory=lambda: ["127.0.0.1", "localhost", "[::1]"])
    smtp_url: str = "smtp://127.0.0.1:25"
    mail_backend: str = "django.core.mail.backends.smtp.EmailBackend"
    imap_urls: dict[str, SecretStr] = Field(default_factory=dict)
    reply_plus: bool = False
    data_dir: Path = Path("var")
    psp_url: str = ""
    psp_api_key: SecretStr = SecretStr("")
    psp_webhook_secret: SecretStr = SecretStr("")
    stripe_api_key: SecretStr = SecretStr("")
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_url: str = "https://api.stripe.com"
    stripe_pages: str = "https://checkout.stripe.com"
    gocardless_token: SecretStr = SecretStr("")
    gocardless_webhook_secret: SecretStr = SecretStr("")
    gocardless_url: str = "https://api.gocardless.com"
    gocardless_pages: str = "https://pay.gocardless.com"
    link_days: int = 60
    clock_start: datetime | None = None
    """Set by the time-lapse: the clock of the pages goes on from here."""


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
