"""Setting up creditors and staff."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.db import transaction
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, InputError
from kulanz.kernel.money import digits
from kulanz.tenancy.models import Brand, Creditor, Membership, Role
from kulanz.tenancy.rules import check_colours
from kulanz.tenancy.scope import every_creditor, scope


@dataclass(frozen=True, slots=True)
class NewCreditor:
    """What is needed to begin; everything else has a default that can be changed later."""

    slug: str
    name: str
    sender_email: str
    legal_name: str = ""
    address: str = ""
    jurisdiction: str = "DE"
    currency: str = "EUR"
    language: str = "de"
    timezone: str = "Europe/Berlin"
    iban: str = ""
    account_holder: str = ""
    imprint: str = ""
    colour_primary: str = "#1f5c4d"
    holdout_share: float = 0.2
    simulated: bool = False


def add_creditor(new: NewCreditor) -> Creditor:
    """Store a creditor with its first brand; raises InputError or ConflictError and stores nothing."""
    digits(new.currency)
    check_colours(new.colour_primary, "#ffffff")
    iban = checked_iban(new.iban) if new.iban else ""
    if not 0 <= new.holdout_share <= 1:
        raise InputError("The holdout share is a number from 0 to 1.")
    try:
        ZoneInfo(new.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InputError(f"{new.timezone!r} is not a time zone such as Europe/Berlin.") from None
    with transaction.atomic():
        if Creditor.objects.filter(slug=new.slug).exists():
            raise ConflictError(f"A creditor with the short name {new.slug!r} exists already.")
        creditor = Creditor.objects.create(
            slug=new.slug,
            name=new.name,
            legal_name=new.legal_name or new.name,
            address=new.address,
            country="GB" if new.jurisdiction == "UK" else new.jurisdiction,
            jurisdiction=new.jurisdiction,
            currency=new.currency,
            language=new.language,
            timezone=new.timezone,
            iban=iban,
            account_holder=new.account_holder or new.name,
            support_email=new.sender_email,
            holdout_share=new.holdout_share,
            simulated=new.simulated,
            created_at=clock.now(),
        )
        with scope(creditor.id):
            Brand.objects.create(
                creditor=creditor,
                name=new.name,
                sender_name=new.name,
                sender_email=new.sender_email,
                reply_to=new.sender_email,
                imprint=new.imprint or f"{creditor.legal_name}, {new.address}",
                colour_primary=new.colour_primary,
            )
    return creditor


def add_user(username: str, password: str, creditor: Creditor, role: Role) -> AbstractUser:
    """Create a staff login, or give an existing one a role at another creditor."""
    users = get_user_model().objects
    with transaction.atomic(), every_creditor("staff are shared between creditors"):
        user = users.filter(username=username).first() or users.create_user(username, password=password)
        Membership.objects.update_or_create(creditor=creditor, user=user, defaults={"role": role})
    return user


def checked_iban(iban: str) -> str:
    """The IBAN without spaces; raises InputError when its form or check digits are wrong."""
    try:
        return str(IBAN(iban))
    except SchwiftyException as error:
        raise InputError(f"The IBAN {iban!r} is not valid: {error}") from None
