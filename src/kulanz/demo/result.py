"""What a time-lapse came to, as one document. Every figure is read from the ledger, the outbox and the decisions."""

from collections import Counter
from dataclasses import asdict
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Sum

from kulanz.claims.checks import check_ledger
from kulanz.claims.models import Account, Case, Posting
from kulanz.demo.letters import band_of
from kulanz.engine import lift
from kulanz.outreach.models import Message
from kulanz.payments.models import Payment, Plan
from kulanz.payments.offers import queries as offers
from kulanz.strategy import queries
from kulanz.strategy.models import Decision
from kulanz.tenancy.models import Creditor

BANDS = ("08-10", "10-12", "12-14", "14-16", "16-18", "18-20")


def result(creditor: Creditor, days: list[date], best_band: int) -> dict[str, Any]:
    """The document of `kulanz demo --json` without invoices, seed and seconds; amounts in minor units."""
    zone = ZoneInfo(creditor.timezone)
    sent = Message.objects.filter(sent_at__isnull=False, kind=Message.Kind.DEMANDING)
    rows = list(sent.values_list("channel", "tone", "sent_at"))
    local = [at.astimezone(zone) for _, _, at in rows]
    groups = queries.lift_inputs()
    found = lift(groups.policy, groups.holdout, share=groups.share)
    return {
        "cases": Case.objects.count(),
        "decisions": Decision.objects.count(),
        "messages": {
            "total": len(rows),
            "by_channel": _counted(channel for channel, _, _ in rows),
            "by_hour": _counted(f"{at.hour:02d}" for at in local),
            "by_tone": _counted(tone for _, tone, _ in rows),
            "service": Message.objects.filter(sent_at__isnull=False, kind=Message.Kind.SERVICE).count(),
        },
        "payments": Payment.objects.filter(returned_at=None).count(),
        "offers": {each.kind: {"told": each.told, "taken": each.used} for each in offers.tally()},
        "plans": _counted(Plan.objects.values_list("state", flat=True)),
        "recovered": recovered(),
        "lift": {
            "policy": found.policy,
            "holdout": found.holdout,
            "difference": found.difference,
            "low": found.low,
            "high": found.high,
            "customers": {"policy": len(groups.policy), "holdout": len(groups.holdout)},
        },
        "hour": {
            "planted_best": BANDS[best_band],
            **_shares_in_band(local, days, best_band),
        },
        "vetoes": dict(sorted(queries.counts().vetoes.items())),
        "ledger": asdict(check_ledger()),
        "simulated": True,
    }


def recovered() -> dict[str, int]:
    """Money received less money taken back, from the ledger: currency to minor units."""
    rows = Posting.objects.filter(account=Account.RECEIVED).values_list("case__currency")
    return dict(rows.annotate(Sum("amount")).order_by("case__currency"))


def _shares_in_band(local: list[Any], days: list[date], best_band: int) -> dict[str, float | None]:
    """The share of demanding messages sent in the planted band, in the first and in the last quarter of the days."""
    quarter = max(1, len(days) // 4)
    first, last = days[quarter - 1], days[-quarter]
    return {
        "share_first_quarter": _share([at for at in local if at.date() <= first], best_band),
        "share_last_quarter": _share([at for at in local if at.date() >= last], best_band),
    }


def _share(moments: list[Any], best_band: int) -> float | None:
    if not moments:
        return None
    return round(sum(band_of(at) == best_band for at in moments) / len(moments), 4)


def _counted(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
