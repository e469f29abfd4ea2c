"""The few errors that cross rooms. Every message tells a person what to do next."""


class KulanzError(Exception):
    """Base of all expected errors; its text may be shown to the person who caused it."""


class InputError(KulanzError):
    """What was handed in cannot be used as it is; nothing of it was stored."""


class NotFoundError(KulanzError):
    """The thing does not exist, or not for this creditor."""


class ConflictError(KulanzError):
    """The same key was used before with other content, or the state no longer allows the step."""


class ScopeError(KulanzError):
    """A query on a tenant's table ran outside a tenant scope."""
