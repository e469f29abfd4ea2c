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
    performed_on = models.DateField(
        null=True, blank=True, help_text="Day of performance; none: contract date"
    )
    default_from = models.DateField(null=True, blank=True, help_text="First day of default; none: not yet")
    default_cause = models.CharField(
        max_length=40, blank=True, help_text="Code of law.default and what set it"
    )
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
        OFFSET = "offset"
        INTEREST = "interest"
        COST = "cost"
        PAYMENT = "payment"
        PAYMENT_RETURN = "payment_return"
        REFUND = "refund"
        WAIVER = "waiver"
        DISCOUNT = "discount"
        WRITE_OFF = "write_off"
        RECOVERY = "recovery"
        TRANSFER = "transfer"
        REALLOCATION = "reallocation"
        CORRECTION = "correction"

    creditor = models.ForeignKey(
        "tenancy.Creditor", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    key = models.CharField(max_length=120, help_text="Stable key of the cause: the same cause posts once")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="journals", db_index=False)
    value_date = models.DateField()
    booked_at = models.DateTimeField()
    cause = models.CharField(
        max_length=60, blank=True, help_text="Who or what: a room's name, agent:<id>, customer"
    )
    details = models.JSONField(
        default=dict, help_text="How the amount was worked out: formula and inputs, no names"
    )
    sequence = models.BigIntegerField(
        null=True, help_text="Place in the creditor's hash chain; none: not sealed yet"
    )
    digest = models.BinaryField(
        max_length=32, null=True, help_text="SHA-256 over the link before and this journal"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "key"], name="journal_key_once"),
            models.UniqueConstraint(fields=["creditor", "sequence"], name="journal_sequence_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="journal_unsealed", condition=models.Q(sequence=None)),
        ]

    def __str__(self) -> str:
        return self.key


class Account(models.TextChoices):
    """Accounts of a claim or case. Debit is positive, credit negative; those in `OWED` are what the customer owes."""

    PRINCIPAL = "principal"
    INTEREST = "interest"
    COST = "cost"
    COST_REMINDER = "cost_reminder"
    COST_LUMP_SUM = "cost_lump_sum"
    COST_COLLECTION = "cost_collection"
    COST_RETURN = "cost_return"
    COST_COURT = "cost_court"
    COST_PLAN = "cost_plan"
    CREDIT = "credit"
    INVOICED = "invoiced"
    EARNED = "earned"
    RECEIVED = "received"
    WAIVED = "waived"
    DISCOUNTED = "discounted"
    WRITTEN_OFF = "written_off"
    TRANSFERRED = "transferred"
    SUSPENSE = "suspense"


COSTS = tuple(account for account in Account if account.value.startswith("cost"))
"""One account per kind of cost; `cost` itself is for kinds without an account of their own."""
OWED = (Account.PRINCIPAL, Account.INTEREST, *COSTS)
"""What the customer owes; `CREDIT`, paid beyond it, counts against it."""
OWED_SQL = ", ".join(f"'{account.value}'" for account in OWED)
BALANCE_SQL = f"{OWED_SQL}, '{Account.CREDIT.value}'"
"""The same for plain statements: `account IN (...)`; the second with credit is what a case still owes in all."""


class Posting(TenantModel):
    """One line of a journal in minor units of the case's currency, with its legal basis (a code of the law pack)."""

    creditor = models.ForeignKey(
        "tenancy.Creditor", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    journal = models.ForeignKey(Journal, on_delete=models.PROTECT, related_name="postings")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="postings", db_constraint=False)
    claim = models.ForeignKey(
        Claim,
        on_delete=models.PROTECT,
        null=True,
        related_name="postings",
        db_index=False,
        db_constraint=False,
    )
    account = models.CharField(max_length=16, choices=Account.choices)
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
        VULNERABLE = "vulnerable"
        QUESTION = "question"
        PROMISE = "promise"
        PLAN = "plan"
        PAYMENT_PENDING = "payment_pending"
        MANUAL = "manual"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=16, choices=Reason.choices)
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    stops_contact = models.BooleanField(default=True)
    stops_interest = models.BooleanField(default=False)
    stops_fees = models.BooleanField(default=True)
    placed_by = models.CharField(max_length=40, help_text="customer, agent:<id> or the room that placed it")
    lifted_by = models.CharField(max_length=40, blank=True)
    note = models.TextField(blank=True, help_text="The customer's or agent's own words")

    def __str__(self) -> str:
        return f"{self.reason} on case {self.case_id}"


class LimitationFact(TenantModel):
    """Something that moves the day on which a claim becomes time-barred; payments count by themselves."""

    class Kind(models.TextChoices):
        ACKNOWLEDGED = "acknowledged"
        PAYMENT_ORDER = "payment_order"
        NEGOTIATION = "negotiation"
        TITLED = "titled"

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="limitation_facts")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    from_day = models.DateField()
    until_day = models.DateField(
        null=True, blank=True, help_text="Last day of a suspension; none: still running"
    )
    proof = models.CharField(max_length=200, help_text="Where it is written down")
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} of claim {self.claim_id}"
