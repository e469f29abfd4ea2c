"""Terms of plans and offers are changed by name, all that were named or none."""

import json

import pytest
from typer.testing import CliRunner

from kulanz.cli.commands import app
from kulanz.kernel.errors import InputError
from kulanz.payments.models import PlanPolicy
from kulanz.payments.offers.models import OfferPolicy
from kulanz.payments.offers.queries import offer_terms
from kulanz.payments.plans.queries import plan_terms
from kulanz.payments.terms import change_terms, terms
from kulanz.tenancy.scope import scope


def test_without_a_row_the_defaults_are_shown_and_nothing_is_stored(creditor) -> None:
    found = terms()
    assert (found["offer.discounts"], found["offer.share"], found["plan.min_rate"]) == (False, 10, 2000)
    assert not OfferPolicy.objects.exists()
    assert not PlanPolicy.objects.exists()


def test_terms_are_read_as_people_write_them(creditor, other_creditor) -> None:
    change_terms({"offer.discounts": "yes", "offer.share": " 15 ", "plan.rhythms": "monthly weekly"})
    change_terms({"plan.min_rate": "500"})
    assert (offer_terms().discounts, offer_terms().share) == (True, 15)
    assert (plan_terms().min_rate, [each.value for each in plan_terms().rhythms]) == (
        500,
        ["weekly", "monthly"],
    )
    with scope(other_creditor.id):
        assert not offer_terms().discounts


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"offer.share": "91"}, "offer.share"),
        ({"offer.share": "-1"}, "offer.share"),
        ({"offer.valid_days": "0"}, "offer.valid_days"),
        ({"offer.later_days": "31"}, "offer.later_days"),
        ({"offer.discounts": "perhaps"}, "offer.discounts"),
        ({"offer.period_days": "14"}, "longer than a discount stands"),
        ({"offer.min_discount": "5001"}, "more than offer.max_discount"),
        ({"plan.rhythms": "daily"}, "daily is none of weekly, "),
        ({"plan.creditor": "2"}, "no term plan.creditor; there are: offer.discounts, "),
        ({"share": "5"}, "no term share"),
    ],
)
def test_what_does_not_fit_changes_nothing(creditor, changes: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        change_terms({"offer.grace_days": "3"} | changes)
    assert offer_terms().grace_days == 0


def test_the_command_shows_and_changes(creditor) -> None:
    words = ["creditor", "terms", creditor.slug]
    done = CliRunner().invoke(app, [*words, "offer.discounts=yes", "--json"], catch_exceptions=False)
    told = json.loads(done.output)
    assert (told["changed"], told["terms"]["offer.discounts"]) == (["offer.discounts"], True)
    shown = CliRunner().invoke(app, words, catch_exceptions=False).output
    assert "offer.discounts" in shown
    assert "yes" in shown
    with pytest.raises(InputError, match="NAME=VALUE"):
        CliRunner().invoke(app, [*words, "offer.share"], catch_exceptions=False)
