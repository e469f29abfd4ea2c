"""Signing in to a customer's account. Each attempt is counted in the transaction that judges it."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from kulanz.claims.models import Customer
from kulanz.contact.login import rules
from kulanz.contact.login.models import Login, LoginCode
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import NotFoundError
from kulanz.tenancy.models import Creditor, LoginFactor
from kulanz.tenancy.scope import creditor_id

LONGEST = timedelta(hours=8)
"""A login ends after this time, however busy."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`login_id` 0: not proven. `again_at`: nothing is looked at before."""

    login_id: int = 0
    again_at: datetime | None = None


def factor() -> LoginFactor:
    """What the creditor in scope asks for."""
    return LoginFactor(Creditor.objects.values_list("login_factor", flat=True).get(id=creditor_id()))


def answer(customer_id: int, given: str) -> Outcome:
    """Sign in by what the creditor asks for. Raises NotFoundError for another creditor's customer."""
    wanted = factor()
    if wanted == LoginFactor.CODE:
        return Outcome()
    with transaction.atomic():
        known = _locked(customer_id)
        now = clock.now()
        if again := _closed_until(customer_id, now):
            return Outcome(again_at=again)
        proven = rules.proves(given, known.answer(wanted))
        login = _note(customer_id, wanted, proven, now)
        return Outcome(login) if proven else Outcome(again_at=_closed_until(customer_id, now))


def new_code(customer_id: int) -> LoginCode | None:
    """A code to be sent within the caller's transaction; None after too many. The one before ends with it."""
    with transaction.atomic():
        _locked(customer_id)
        now = clock.now()
        asked = LoginCode.objects.filter(customer_id=customer_id, asked_at__gt=now - rules.WINDOW)
        if rules.open_again(asked.values_list("asked_at", flat=True), rules.CODES, now):
            return None
        made: LoginCode = LoginCode.objects.create(
            creditor_id=creditor_id(),
            customer_id=customer_id,
            asked_at=now,
            expires_at=now + rules.CODE_LASTS,
        )
    return made


def enter_code(customer_id: int, typed: str) -> Outcome:
    """Sign in by the newest code, once. A code that was tried too often or too late proves nothing."""
    with transaction.atomic():
        _locked(customer_id)
        now = clock.now()
        code: LoginCode | None = LoginCode.objects.filter(customer_id=customer_id).order_by("-id").first()
        if code is None or code.used_at or code.expires_at <= now or code.tries >= rules.CODE_TRIES:
            return Outcome()
        code.tries += 1
        proven = rules.proves(typed, digits(code.id))
        code.used_at = now if proven else None
        code.save(update_fields=["tries", "used_at"])
        login = _note(customer_id, LoginFactor.CODE, proven, now)
    return Outcome(login if proven else 0)


def digits(code_id: int) -> str:
    """The code itself: decimal digits of an HMAC-SHA256 over its id, made again whenever it is needed."""
    key = hashlib.sha256(b"kulanz login code\0" + settings.SECRET_KEY.encode()).digest()
    mac = hmac.digest(key, code_id.to_bytes(8, "big"), "sha256")
    return f"{int.from_bytes(mac) % 10**rules.CODE_DIGITS:0{rules.CODE_DIGITS}d}"


def is_signed_in(login_id: int, customer_id: int) -> bool:
    """Whether this login is the customer's and has not ended."""
    rows = Login.objects.filter(id=login_id, customer_id=customer_id, succeeded=True, ended_at=None)
    return rows.filter(at__gt=clock.now() - LONGEST).exists()


def sign_out(login_id: int) -> None:
    """End a login of the creditor in scope; one that has ended stays so."""
    Login.objects.filter(id=login_id, ended_at=None).update(ended_at=clock.now())


def _locked(customer_id: int) -> rules.Known:
    """What is on file; others who try for the same customer wait until the transaction ends."""
    customer: Customer | None = Customer.objects.select_for_update().filter(id=customer_id).first()
    if customer is None:
        raise NotFoundError("There is no such customer.")
    return rules.Known(customer.number, customer.postal_code, customer.birth_date)


def _closed_until(customer_id: int, now: datetime) -> datetime | None:
    wrong = Login.objects.filter(customer_id=customer_id, succeeded=False, at__gt=now - rules.WINDOW)
    at = wrong.exclude(factor=LoginFactor.CODE).values_list("at", flat=True)
    return rules.open_again(at, rules.WRONG_ANSWERS, now)


def _note(customer_id: int, by: LoginFactor, succeeded: bool, now: datetime) -> int:
    made: Login = Login.objects.create(
        creditor_id=creditor_id(), customer_id=customer_id, factor=by, at=now, succeeded=succeeded
    )
    record("login.succeeded" if succeeded else "login.failed", customer_id, {"factor": by.value})
    return made.id
