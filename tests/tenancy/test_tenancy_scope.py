"""Tenants: who may see what, and what is refused when a creditor is set up."""

import pytest

from kulanz.claims.models import Customer
from kulanz.kernel.errors import ConflictError, InputError, ScopeError
from kulanz.tenancy.actions import NewCreditor, add_creditor, add_user
from kulanz.tenancy.models import Brand, Creditor, Membership, Role
from kulanz.tenancy.rules import includes
from kulanz.tenancy.scope import creditor_id, every_creditor, scope


def test_a_query_without_a_creditor_raises(creditor: Creditor) -> None:
    assert Brand.objects.count() == 1
    with scope(creditor.id + 1):
        assert Brand.objects.count() == 0
        with every_creditor("the test looks at all"):
            assert Brand.objects.count() == 1
            with pytest.raises(ScopeError):
                creditor_id()


def test_reverse_relations_are_scoped_too(creditor: Creditor, make_case) -> None:
    case = make_case()
    customer = Customer.objects.get()
    assert list(customer.cases.all()) == [case]
    with scope(creditor.id + 1):
        assert list(customer.cases.all()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"iban": "DE00370400440532013000"}, "IBAN"),
        ({"currency": "XYZ"}, "ISO 4217"),
        ({"timezone": "Mars/Olympus"}, "time zone"),
        ({"holdout_share": 1.5}, "holdout"),
    ],
)
def test_a_creditor_with_a_mistake_is_not_stored(db: None, change: dict[str, object], message: str) -> None:
    fields = {"slug": "a", "name": "A", "sender_email": "a@a.example"} | change
    with pytest.raises(InputError, match=message):
        add_creditor(NewCreditor(**fields))
    assert Creditor.objects.count() == 0


def test_a_short_name_is_taken_once(creditor: Creditor) -> None:
    with pytest.raises(ConflictError):
        add_creditor(NewCreditor(slug=creditor.slug, name="B", sender_email="b@b.example"))


def test_one_login_may_work_for_two_creditors(creditor: Creditor, other_creditor: Creditor) -> None:
    first = add_user("mira", "a-long-password", creditor, Role.OWNER)
    assert add_user("mira", "ignored", other_creditor, Role.VIEWER) == first
    with every_creditor("the test looks at all"):
        assert sorted(Membership.objects.values_list("role", flat=True)) == ["owner", "viewer"]
    assert first.check_password("a-long-password")


def test_a_higher_role_includes_the_lower() -> None:
    order = [Role.VIEWER, Role.AGENT, Role.MANAGER, Role.OWNER]
    for has, role in enumerate(order):
        for needs, needed in enumerate(order):
            assert includes(role, needed) == (has >= needs)
