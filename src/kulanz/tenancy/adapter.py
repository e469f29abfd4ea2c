"""Staff login: nobody signs up by themselves."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Accounts are made by an owner with `kulanz user add`."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
