"""Creditors (tenants), their brand and their staff; the base of every tenant's table."""

from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from kulanz.tenancy import scope

_M_co = TypeVar("_M_co", bound=models.Model, covariant=True)


class TenantManager(models.Manager[_M_co]):
    """Shows the rows of the creditor in scope; raises ScopeError outside of a scope."""

    def get_queryset(self) -> models.QuerySet[_M_co]:
        found = scope.current()
        rows = super().get_queryset()
        return rows if isinstance(found, scope.Everyone) else rows.filter(creditor_id=found)


class TenantModel(models.Model):
    """A row that belongs to one creditor."""

    id = models.BigAutoField(primary_key=True)
    creditor = models.ForeignKey(
        "tenancy.Creditor",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # alone it selects far too much, and a planner without statistics would take it
    )

    objects: ClassVar[TenantManager[Any]] = TenantManager()

    class Meta:
        abstract = True


class LegalRole(models.TextChoices):
    """As whom the creditor collects: different caps on cost bind a registered collector."""

    CREDITOR = "creditor"
    COLLECTOR = "collector"


class LoginFactor(models.TextChoices):
    """What customers are asked for, beside their link, to see their whole account."""

    NUMBER = "number"
    POSTAL_CODE = "postal_code"
    BIRTH_DATE = "birth_date"
    CODE = "code"
    """Only a code that is sent to a known address; the others allow it too."""


class Creditor(models.Model):
    """Who is owed money: the tenant."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    legal_name = models.CharField(max_length=200)
    address = models.CharField(max_length=300, help_text="One line: street, postal code and town")
    country = models.CharField(max_length=2, default="DE")
    jurisdiction = models.CharField(max_length=2, default="DE", help_text="Law pack: DE, AT, CH, UK or US")
    currency = models.CharField(max_length=3, default="EUR")
    language = models.CharField(max_length=8, default="de")
    timezone = models.CharField(max_length=40, default="Europe/Berlin")
    iban = models.CharField(max_length=34, blank=True)
    bic = models.CharField(max_length=11, blank=True)
    account_holder = models.CharField(max_length=70, blank=True)
    creditor_identifier = models.CharField(
        max_length=35, blank=True, help_text="SEPA creditor identifier; empty: no direct debits"
    )
    support_email = models.EmailField(blank=True)
    support_phone = models.CharField(max_length=40, blank=True)
    hours_between_contacts = models.PositiveSmallIntegerField(default=48)
    contacts_per_7_days = models.PositiveSmallIntegerField(default=2)
    holdout_share = models.FloatField(
        default=0.2, help_text="Customers who stay on the plain ladder for ever"
    )
    role = models.CharField(max_length=10, choices=LegalRole.choices, default=LegalRole.CREDITOR)
    least_part = models.PositiveIntegerField(
        default=1000,
        help_text="The smallest part that may be paid online, in minor units; all of it always may",
    )
    hardship_days = models.PositiveSmallIntegerField(
        default=30,
        validators=[MinValueValidator(7), MaxValueValidator(180)],
        help_text="How long a case rests when a customer tells of need, without asking anybody",
    )
    login_factor = models.CharField(
        max_length=12,
        choices=LoginFactor.choices,
        default=LoginFactor.NUMBER,
        help_text="What customers are asked for, beside their link, to see their whole account",
    )
    client_name = models.CharField(max_length=200, blank=True, help_text="For whom a collector collects")
    client_address = models.CharField(max_length=300, blank=True)
    authority = models.CharField(
        max_length=200, blank=True, help_text="A collector's supervisory authority and its postal address"
    )
    authority_contact = models.CharField(max_length=200, blank=True, help_text="Its electronic address")
    vat_statement = models.CharField(
        max_length=200, blank=True, help_text="Whether the client may deduct VAT"
    )
    charges_interest = models.BooleanField(default=False, help_text="Default interest is charged at all")
    max_interest_rate = models.DecimalField(
        max_digits=6,
        decimal_places=3,
        null=True,
        blank=True,
        help_text="Percent a year; only ever below the law's",
    )
    day_count = models.CharField(
        max_length=12, blank=True, help_text="act/act, act/365, 30/360; empty: the pack's"
    )
    charges_lump_sum = models.BooleanField(
        default=False, help_text="The lump sum owed by businesses in default"
    )
    letter_cost = models.PositiveIntegerField(
        default=0,
        help_text="Documented cost of one letter in minor units; 0: letters cost the customer nothing",
    )
    polite_when_barred = models.BooleanField(
        default=False, help_text="A polite notice instead of silence for time-barred claims, where lawful"
    )
    simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class LawRow(models.Model):
    """A dated row that the operator added to a law pack, for every creditor of the installation."""

    jurisdiction = models.CharField(max_length=2)
    table = models.CharField(max_length=40, help_text="Table of the pack, as in its TOML file")
    row = models.JSONField(help_text="The fields of one row, with valid_from, source and verified")
    added_by = models.CharField(max_length=40)
    added_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.jurisdiction} {self.table}"


class Brand(TenantModel):
    """How a creditor looks and signs; one per creditor and name."""

    name = models.CharField(max_length=100)
    sender_name = models.CharField(max_length=100)
    sender_email = models.EmailField()
    reply_to = models.EmailField(blank=True)
    colour_primary = models.CharField(max_length=7, default="#1f5c4d", help_text="Buttons and links, #rrggbb")
    colour_on_primary = models.CharField(max_length=7, default="#ffffff")
    logo_svg = models.TextField(blank=True, help_text="Inline SVG, sanitised when saved")
    imprint = models.TextField(blank=True)
    imprint_url = models.URLField(blank=True)
    privacy_url = models.URLField(blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["creditor", "name"], name="brand_name_once")]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What staff may do, each role including the ones after it."""

    OWNER = "owner"
    MANAGER = "manager"
    AGENT = "agent"
    VIEWER = "viewer"


class Membership(TenantModel):
    """A staff login's role at one creditor."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "user"], name="one_role_per_creditor")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"
