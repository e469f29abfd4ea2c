"""numba, which only the compiled kernel needs and which is loaded only when that is asked for."""

import importlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

from kulanz.kernel.errors import InputError

try:
    _numba = importlib.import_module("numba")
except ImportError as error:
    raise InputError('The compiled kernel needs numba: install it, or use kernel="numpy".') from error

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compiled at the first call and kept on disk; no fast-math, so that every operation rounds as in NumPy."""
    return cast(F, _numba.njit(cache=True, error_model="numpy")(function))
