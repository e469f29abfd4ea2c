"""Finding the creditor that a command names."""

from collections.abc import Iterator
from contextlib import contextmanager

from kulanz.kernel.errors import NotFoundError
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope


def creditor(slug: str) -> Creditor:
    """The creditor with this short name; raises NotFoundError naming those there are."""
    found = Creditor.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Creditor.objects.order_by("slug").values_list("slug", flat=True)[:20])
        hint = f"There are: {known}." if known else "There is none yet: kulanz creditor add."
        raise NotFoundError(f"There is no creditor {slug!r}. {hint}")
    return found


@contextmanager
def for_creditor(slug: str) -> Iterator[Creditor]:
    """Run the block in the scope of the creditor that `slug` names."""
    found = creditor(slug)
    with scope(found.id):
        yield found
