"""Messages as a transactional outbox, their archive and what happened to them."""

from typing import ClassVar

from django.db import models

from kulanz.claims.models import Case, Customer
from kulanz.contact.models import Channel
from kulanz.payments.models import PaymentLink
from kulanz.tenancy.models import TenantModel


class Message(TenantModel):
    """One message to one customer, written in its cause's transaction.

    `allowed` is the stage's allowed set as data: the gate runs again with it in the sending transaction.
    """

    class Kind(models.TextChoices):
        DEMANDING = "demanding"
        SERVICE = "service"
        STATUTORY = "statutory"

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        STOPPED = "stopped"
        FAILED = "failed"
        UNKNOWN = "unknown"

    key = models.CharField(max_length=120, help_text="kind, case and cause: the same cause writes once")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="messages")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    stage = models.CharField(max_length=40)
    tone = models.CharField(max_length=20)
    offer = models.CharField(max_length=20)
    allowed = models.JSONField(default=dict)
    data = models.JSONField(default=dict, help_text="Further values for the text: ids, codes, amounts, dates")
    decision_id = models.BigIntegerField(null=True, help_text="strategy decision, by id")
    link = models.ForeignKey(
        PaymentLink, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="Later than this it is stopped instead of sent")
    created_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, help_text="Still sending after this: the process is gone")
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=200, blank=True, help_text="Veto code or the provider's answer")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["creditor", "key"], name="message_key_once")]
        indexes: ClassVar = [
            models.Index(
                fields=["not_before"],
                name="message_queue",
                condition=models.Q(state__in=["queued", "sending", "unknown"]),
            ),
            models.Index(
                fields=["customer"],
                name="message_on_its_way",
                condition=models.Q(state__in=["queued", "sending", "unknown"]),
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Layout(TenantModel):
    """A compiled brand layout, stored once and shared by the archived messages that used it."""

    digest = models.CharField(max_length=64)
    html = models.TextField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["creditor", "digest"], name="layout_once")]

    def __str__(self) -> str:
        return self.digest


class ArchivedMessage(TenantModel):
    """What a message says: subject and both bodies compressed, tokens replaced by placeholders.

    Written with the mark `sending`, so that a message of unknown fate can be read and asked for by its wire id.
    """

    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="archive")
    layout = models.ForeignKey(Layout, on_delete=models.PROTECT, related_name="+", db_index=False)
    wire_id = models.CharField(max_length=120, db_index=True, help_text="RFC 5322 Message-ID")
    content = models.BinaryField()

    def __str__(self) -> str:
        return self.wire_id


class DeliveryEvent(TenantModel):
    """What a provider told about a message."""

    class Kind(models.TextChoices):
        SENT = "sent"
        OPENED = "opened"
        CLICKED = "clicked"
        BOUNCED = "bounced"
        COMPLAINED = "complained"
        UNSUBSCRIBED = "unsubscribed"

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="delivery_events")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    at = models.DateTimeField()
    detail = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.kind


class InboundMessage(TenantModel):
    """What a customer wrote: on their page or by e-mail. Nothing that arrives is thrown away."""

    class State(models.TextChoices):
        WAITING = "waiting"
        """In the case's thread, not answered yet."""
        DONE = "done"
        UNMATCHED = "unmatched"
        """A mail that names no case: a person says whose it is."""
        AUTOMATIC = "automatic"
        """Written by a machine: kept, in no thread, no task."""

    key = models.CharField(max_length=64, help_text="Digest of what came: the same twice is kept once")
    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, null=True, related_name="inbound", db_index=False
    )
    state = models.CharField(max_length=9, choices=State.choices)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    sender = models.CharField(max_length=320, blank=True, help_text="The From address of a mail")
    verified = models.BooleanField(help_text="Written behind the link, or from an address of the customer")
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField()
    urgent = models.BooleanField(default=False, help_text="A mail whose words tell of danger to somebody")
    shortened = models.BooleanField(default=False, help_text="The mail was longer than what is kept")
    files = models.JSONField(default=list, help_text="Names of attachments, which are not kept")
    received_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "key"], name="inbound_message_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["case", "received_at"], name="inbound_of_case"),
            models.Index(
                fields=["creditor", "state"],
                name="inbound_for_a_person",
                condition=models.Q(state__in=["waiting", "unmatched"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.id}"


class Answer(TenantModel):
    """What staff wrote back; the customer reads it on their page and, where there is an address, by e-mail."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="answers", db_index=False)
    author = models.CharField(max_length=150, help_text="The login that wrote it; customers do not see it")
    text = models.TextField()
    mailed = models.BooleanField(help_text="It was put into the outbox; otherwise only the page has it")
    written_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["case", "written_at"], name="answer_of_case")]

    def __str__(self) -> str:
        return f"answer on case {self.case_id}"
