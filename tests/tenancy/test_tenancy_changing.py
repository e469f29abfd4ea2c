"""Settings of a creditor are changed by name, all that were named or none."""

import json
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from kulanz.cli.commands import app
from kulanz.kernel.errors import InputError
from kulanz.tenancy.changing import SETTINGS, change_creditor
from kulanz.tenancy.models import Creditor

NEVER = {"slug", "country", "jurisdiction", "currency", "language", "timezone", "holdout_share", "simulated"}


def test_each_kind_of_setting_is_read_as_people_write_it(creditor) -> None:
    changes = {
        "role": "collector",
        "client_name": " Birkenhof Strom GmbH ",
        "charges_interest": "yes",
        "max_interest_rate": "4.5",
        "letter_cost": "76",
        "day_count": "30/360",
        "iban": "DE89 3704 0044 0532 0130 00",
    }
    change_creditor(creditor.slug, changes)
    found = Creditor.objects.get(id=creditor.id)
    assert (found.role, found.client_name, found.charges_interest) == (
        "collector",
        "Birkenhof Strom GmbH",
        True,
    )
    assert (found.max_interest_rate, found.letter_cost, found.day_count) == (Decimal("4.5"), 76, "30/360")
    assert found.iban == "DE89370400440532013000"
    change_creditor(creditor.slug, {"max_interest_rate": "", "client_name": "", "day_count": "", "iban": ""})
    found = Creditor.objects.get(id=creditor.id)
    assert (found.max_interest_rate, found.client_name, found.day_count, found.iban) == (None, "", "", "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role": "judge"}, "role: .*judge"),
        ({"letter_cost": "-1"}, "letter_cost"),
        ({"letter_cost": "a"}, "letter_cost"),
        ({"charges_interest": "perhaps"}, "charges_interest"),
        ({"max_interest_rate": "12345"}, "max_interest_rate"),
        ({"authority": "x" * 201}, "authority: .*200"),
        ({"support_email": "nobody"}, "support_email"),
        ({"name": ""}, "name"),
        ({"day_count": "act/364"}, "no day count"),
        ({"iban": "DE00"}, "IBAN"),
        ({"jurisdiction": "US"}, "no setting jurisdiction; there are: name, "),
    ],
)
def test_what_does_not_fit_changes_nothing(creditor, changes: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        change_creditor(creditor.slug, {"authority_contact": "x@y.example"} | changes)
    assert Creditor.objects.get(id=creditor.id).authority_contact == ""


def test_every_column_may_be_changed_or_is_fixed_for_a_reason() -> None:
    columns = {field.name for field in Creditor._meta.get_fields() if field.concrete}
    assert columns == NEVER | set(SETTINGS) | {"id", "created_at"}


def test_the_command(creditor) -> None:
    words = ["creditor", "set", creditor.slug, "authority=Amtsgericht, Weg 1", "vat_statement=a=b", "--json"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert json.loads(done.output) == {"creditor": creditor.slug, "changed": ["authority", "vat_statement"]}
    found = Creditor.objects.get(id=creditor.id)
    assert (found.authority, found.vat_statement) == ("Amtsgericht, Weg 1", "a=b")
    with pytest.raises(InputError, match="NAME=VALUE, not 'role'"):
        CliRunner().invoke(app, ["creditor", "set", creditor.slug, "role"], catch_exceptions=False)
    with pytest.raises(InputError, match="no creditor 'nobody'"):
        change_creditor("nobody", {"role": "creditor"})
