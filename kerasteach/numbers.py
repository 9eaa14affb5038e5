"""What counts as a number where one is asked for: the checks that arguments meet at the door."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any


def whole(argument: str, value: Any, least: int = 1) -> int:
    """Return a whole number of any kind, NumPy's too, as Python's.

    Args:
        argument: What to call it in an error.
        value: The number.
        least: The smallest that will do. Defaults to `1`.

    Raises:
        ValueError: If it is no whole number, or a smaller one.

    Example:
        >>> from kerasteach.numbers import whole
        >>> whole("epochs", 3)
        3
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"`{argument}` must be a whole number from {least}. Received: {argument}={value!r}.")
    return int(value)


def finite(argument: str, value: Any) -> float:
    """Return a finite number of any kind, NumPy's too, as Python's float.

    Args:
        argument: What to call it in an error.
        value: The number.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is infinite or NaN.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"`{argument}` must be a number. Received: {argument}={value!r}.")
    if not math.isfinite(value):
        raise ValueError(f"`{argument}` must be finite. Received: {argument}={value!r}.")
    return float(value)
