"""Who owes what: customers, claims, cases, holds and the double-entry ledger."""

from typing import ClassVar

from django.db import models

from kulanz.tenancy.models import TenantModel


class Customer(TenantModel):
    """A person or business that owes, or owed, something to the creditor."""

    class Kind(models.TextChoices):
        PERSON = "person"
        BUSINESS = "business"

    number = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.PERSON)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=8, default="de")
    country = models.CharField(max_length=2, default="DE")
    postal_code = models.CharField(max_length=12, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    ladder_only = models.BooleanField(
        default=False, help_text="Objected to profiling: never decided by a policy"
    )
    synthetic = models.BooleanField(default=False, help_text="Name and contact points were made up")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "number"], name="customer_number_once")
        ]

    def __str__(self) -> str:
        return self.number


class Case(TenantModel):
    """All open claims of one customer at one creditor in one currency."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="cases")
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer", "currency"], name="one_case_per_customer_and_currency"
            )
        ]

    def __str__(self) -> str:
        return f"case {self.id}"


class Claim(TenantModel):
    """One thing owed, usually an invoice. Its amount and state follow from the ledger alone."""

    class Kind(models.TextChoices):
        INVOICE = "invoice"
        CREDIT_NOTE = "credit_note"
        LOAN = "loan"
        INSTALMENT = "instalment"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="claims")
    number = models.CharField(max_length=64)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.INVOICE)
    jurisdiction = models.CharField(max_length=2)
    contract_date = models.DateField()
    due_date = models.DateField()
    product = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "number"], name="claim_number_once")
        ]

    def __str__(self) -> str:
        return self.number


class Journal(TenantModel):
    """One balanced entry of the ledger, written after its postings and never changed."""

    class Kind(models.TextChoices):
        OPENED = "opened"
        CREDIT_NOTE = "credit_note"
        INTEREST = "interest"
        COST = "cost"
        PAYMENT = "payment"
        PAYMENT_RETURN = "payment_return"
        WAIVER = "waiver"
        WRITE_OFF = "write_off"
        CORRECTION = "correction"

    key = models.CharField(max_length=120, help_text="Stable key of the cause: the same cause posts once")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="journals", db_index=False)
    value_date = models.DateField()
    booked_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["creditor", "key"], name="journal_key_once")]

    def __str__(self) -> str:
        return self.key


class Account(models.TextChoices):
    """Accounts of a case. Debit is positive, credit negative; the first three are what the customer owes."""

    PRINCIPAL = "principal"
    INTEREST = "interest"
    COST = "cost"
    CREDIT = "credit"
    INVOICED = "invoiced"
    RECEIVED = "received"
    WAIVED = "waived"
    WRITTEN_OFF = "written_off"
    SUSPENSE = "suspense"


OWED = (Account.PRINCIPAL, Account.INTEREST, Account.COST)


class Posting(TenantModel):
    """One line of a journal in minor units of the case's currency, with its legal basis (a code of the law pack)."""

    journal = models.ForeignKey(Journal, on_delete=models.PROTECT, related_name="postings")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="postings")
    claim = models.ForeignKey(
        Claim, on_delete=models.PROTECT, null=True, related_name="postings", db_index=False
    )
    account = models.CharField(max_length=12, choices=Account.choices)
    amount = models.BigIntegerField()
    basis = models.CharField(max_length=32)

    def __str__(self) -> str:
        return f"{self.account} {self.amount}"


class Hold(TenantModel):
    """A reason not to press a case, from a day until a day or until lifted."""

    class Reason(models.TextChoices):
        DISPUTE = "dispute"
        HARDSHIP = "hardship"
        INSOLVENCY = "insolvency"
        REPRESENTED = "represented"
        DECEASED = "deceased"
        MINOR = "minor"
        MORATORIUM = "moratorium"
        PROMISE = "promise"
        PLAN = "plan"
        PAYMENT_PENDING = "payment_pending"
        MANUAL = "manual"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=16, choices=Reason.choices)
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    placed_by = models.CharField(max_length=40, help_text="customer, agent:<id> or the room that placed it")
    note = models.TextField(blank=True, help_text="The customer's or agent's own words")

    def __str__(self) -> str:
        return f"{self.reason} on case {self.case_id}"
