"""The shell of every staff page: who is asking, for which creditor, with which role."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from kulanz.tenancy.models import Creditor, Membership, Role
from kulanz.tenancy.rules import includes
from kulanz.tenancy.scope import every_creditor, scope

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Staff:
    """A logged-in person at one creditor."""

    user_id: int
    username: str
    creditor: Creditor
    role: str

    def may(self, needed: str) -> bool:
        return includes(self.role, needed)

    @property
    def is_agent(self) -> bool:
        """May act on cases, not only look at them."""
        return self.may(Role.AGENT)

    @property
    def actor(self) -> str:
        """How holds and notes name this person."""
        return f"agent:{self.user_id}"


StaffView = Callable[Concatenate[HttpRequest, Staff, P], HttpResponse]


def staff_of(request: HttpRequest, slug: str) -> Staff:
    """The membership of the logged-in user at creditor `slug`; raises Http404 where there is none."""
    user = request.user
    if isinstance(user, AnonymousUser):
        raise Http404
    with every_creditor("finding the creditors of a login"):
        found = (
            Membership.objects.select_related("creditor").filter(user_id=user.pk, creditor__slug=slug).first()
        )
    if found is None:
        raise Http404
    return Staff(user.pk, user.get_username(), found.creditor, found.role)


def creditors_of(request: HttpRequest) -> list[Creditor]:
    """Every creditor that the logged-in user works for, by name."""
    with every_creditor("finding the creditors of a login"):
        rows = Membership.objects.select_related("creditor").filter(user_id=request.user.pk)
        return [row.creditor for row in rows.order_by("creditor__name")]


def staff_view(needed: Role) -> Callable[[StaffView[P]], Callable[..., HttpResponse]]:
    """Let only staff of the creditor named by the URL's `slug` in, with at least the role `needed`.

    Nobody logged in: to the login page. No membership: 404, as if the creditor did not exist. A lower role: 403.
    The view gets a `Staff` instead of the slug and runs, rendering included, in the creditor's scope and time zone.
    """

    def decorate(view: StaffView[P]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            staff = staff_of(request, slug)
            if not staff.may(needed):
                raise PermissionDenied
            zone = ZoneInfo(staff.creditor.timezone)
            with scope(staff.creditor.id), timezone.override(zone):
                return view(request, staff, *args, **kwargs)

        return guarded

    return decorate


def page(
    request: HttpRequest, staff: Staff, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a template that extends documents/staff_base.html."""
    return render(request, template, {**context, "staff": staff, "creditor": staff.creditor}, status=status)
