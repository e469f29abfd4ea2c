"""What a policy may know about a case. Age, sex and residence are not among it, and nothing that stands for them."""

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from numpy.typing import ArrayLike, NDArray

from kulanz.engine import Feature, FeatureSpec

_YEAR = 365.0

SPEC = FeatureSpec(
    (
        Feature("amount", "log10 of minor units", 1.0, 9.0, 4.0, 4.0, 0.6),
        Feature("days_past_due", "days", -3.0, 120.0, 0.0, 18.0, 18.0),
        Feature("overdue_long", "days over 30", 0.0, 120.0, 0.0, 6.0, 15.0),
        Feature("stage", "share of the ladder", 0.0, 1.0, 0.0, 0.4, 0.3),
        Feature("legal_step", "", 0.0, 1.0, 0.0, 0.3, 0.45),
        Feature("contacts", "contacts since the due date", 0.0, 12.0, 0.0, 1.5, 1.6),
        Feature("contacts_ever", "contacts", 0.0, 40.0, 0.0, 3.0, 4.0),
        Feature("days_since_contact", "days", 0.0, 30.0, 30.0, 15.0, 11.0),
        Feature("waited", "", 0.0, 1.0, 0.0, 0.3, 0.45),
        Feature("open_claims", "claims", 1.0, 20.0, 1.0, 1.3, 0.8),
        Feature("claims_ever", "claims", 1.0, 60.0, 1.0, 2.0, 3.0),
        Feature("share_paid", "share of the invoiced", 0.0, 1.0, 0.0, 0.3, 0.35),
        Feature("share_late", "share of paid claims", 0.0, 1.0, 0.5, 0.5, 0.3),
        Feature("customer_since", "years", 0.0, 10.0, 0.0, 0.5, 0.8),
        Feature("opened", "share of messages", 0.0, 1.0, 0.3, 0.3, 0.3),
        Feature("clicked", "share of messages", 0.0, 1.0, 0.2, 0.2, 0.3),
        Feature("business", "", 0.0, 1.0, 0.0, 0.2, 0.4),
        Feature("promise_broken", "", 0.0, 1.0, 0.0, 0.05, 0.25),
        Feature("disputed_before", "", 0.0, 1.0, 0.0, 0.05, 0.25),
        Feature("weekday", "0 is Monday", kind="cyclical", period=7.0),
        Feature("month", "day of the month, 0 is the first", kind="cyclical", period=31.0),
    )
)

CALENDAR = ("weekday", "month")

LABELS: dict[str, str | Promise] = {
    "amount": _("size of the open amount"),
    "days_past_due": _("days past due"),
    "overdue_long": _("more than 30 days past due"),
    "stage": _("step of the journey"),
    "legal_step": _("formal step"),
    "contacts": _("messages since the due date"),
    "contacts_ever": _("messages so far"),
    "days_since_contact": _("days since the last message"),
    "waited": _("waited last time"),
    "open_claims": _("open claims"),
    "claims_ever": _("claims so far"),
    "share_paid": _("share paid so far"),
    "share_late": _("share of past claims paid late"),
    "customer_since": _("time as a customer"),
    "opened": _("share of messages opened"),
    "clicked": _("share of messages followed to the page"),
    "business": _("business customer"),
    "promise_broken": _("a promised day passed"),
    "disputed_before": _("an objection before"),
    "weekday": _("day of the week"),
    "month": _("time of the month"),
}


def contexts(columns: dict[str, ArrayLike]) -> NDArray[np.float32]:
    """float32[n, d]: one array per feature's name in the feature's own unit; NaN where unknown."""
    return SPEC.transform(columns)


def calendar(weekday: int, day_of_month: int, n: int) -> dict[str, ArrayLike]:
    """The decision's day, the same for all n cases of a run."""
    return {"weekday": np.full(n, float(weekday)), "month": np.full(n, day_of_month - 1.0)}


def customer_years(opened_day: NDArray[np.int64], today: int) -> NDArray[np.float64]:
    return np.asarray((today - opened_day) / _YEAR)
