"""Registers the room with Django and its subscribers with the event log."""

from django.apps import AppConfig

from kulanz.events.registry import subscribe


class OutreachConfig(AppConfig):
    name = "kulanz.outreach"
    label = "outreach"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kulanz.claims.personal.registry import keep  # noqa: PLC0415 - models are loaded only now
        from kulanz.outreach import kept, planning, subscribers  # noqa: PLC0415

        keep(kept.TABLES)
        subscribe(
            "outreach.hold_off", ["consent.withdrawn"], subscribers.hold_off_messages, in_transaction=True
        )
        for name, event, handler in [
            ("outreach.receipts", "payment.booked", subscribers.thank_for_payments),
            ("outreach.holds", "hold.placed", subscribers.confirm_holds),
            ("outreach.opt_outs", "consent.withdrawn", subscribers.confirm_opt_outs),
            ("outreach.failed_payments", "intent.failed", subscribers.tell_failed_payments),
            ("outreach.clicks", "link.opened", subscribers.note_clicks),
        ]:
            subscribe(name, [event], handler, in_transaction=False)
        subscribe("outreach.plans", planning.EVENTS, planning.tell_plans, in_transaction=False)
