"""Whose page it is: what a creditor and its brand show to customers, read in one statement."""

from dataclasses import dataclass, fields

from django.db import connection

from kulanz.kernel.errors import NotFoundError
from kulanz.payments.methods.port import Payee
from kulanz.portal import brand as brands
from kulanz.tenancy.scope import creditor_id


@dataclass(frozen=True, slots=True)
class Look:
    """Columns of the creditor and of its first brand."""

    brand_id: int
    colour_primary: str
    colour_on_primary: str
    logo_svg: str
    imprint: str
    imprint_url: str
    privacy_url: str
    sender_email: str
    name: str
    legal_name: str
    address: str
    language: str
    timezone: str
    currency: str
    iban: str
    bic: str
    account_holder: str
    support_email: str
    support_phone: str
    simulated: bool

    @property
    def payee(self) -> Payee:
        return Payee(self.account_holder, self.iban, self.bic, self.currency)

    @property
    def sheet(self) -> str:
        """The address of the brand's style sheet."""
        return brands.sheet_url(self.brand_id, self.colour_primary, self.colour_on_primary)

    @property
    def logo(self) -> str:
        """The address of the brand's logo; empty where it has none."""
        return brands.logo_url(self.brand_id, self.logo_svg)


def look() -> Look:
    """The look of the creditor in scope; raises NotFoundError where it has no brand."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [creditor_id()])
        row = cursor.fetchone()
    if row is None:
        raise NotFoundError("This creditor has no brand; add one before sending links.")
    *texts, simulated = row
    return Look(*[*texts, bool(simulated)])


_OF_BRAND = frozenset(
    (
        "colour_primary",
        "colour_on_primary",
        "logo_svg",
        "imprint",
        "imprint_url",
        "privacy_url",
        "sender_email",
    )
)
_COLUMNS = ", ".join(
    "b.id" if f.name == "brand_id" else f"{'b' if f.name in _OF_BRAND else 'c'}.{f.name}"
    for f in fields(Look)
)
_SQL = (
    f"SELECT {_COLUMNS} FROM tenancy_brand b JOIN tenancy_creditor c ON c.id = b.creditor_id"  # noqa: S608
    " WHERE b.creditor_id = %s ORDER BY b.id LIMIT 1"
)
