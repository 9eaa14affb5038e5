"""Checks of arguments: one function for each kind of value.

Each takes the argument's name, for the error, and its value. It returns the value as Python, NumPy or pandas has it, or
raises a TypeError or ValueError that names the argument and shows the value.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Name = TypeVar("Name", bound=str)

LARGEST = 2**63 - 1  # of the whole numbers that NumPy, TensorFlow and Parquet can hold
LONGEST = 2**31 - 1  # of the steps that are counted in 32 bits; an error names no larger bound unless it is exceeded
_LONGEST_NAME = 255  # bytes of a file's name, on the usual file systems
_SHOWN = 80  # characters of a value in an error
_MOST_NUMBERS = 2**28  # of a table: 2 GiB in float64


def received(argument: str, value: Any) -> str:
    """Return the end of an error message, `"Received: argument=value."`, with a long value shortened.

    Example:
        >>> from kerasteach.validation import received
        >>> received("seeds", 0)
        'Received: seeds=0.'
    """
    return f"Received: {argument}={shown(value)}."


def shown(value: Any) -> str:
    """Return a value's `repr` in one short line; of an array or a tensor its shape and type."""
    if hasattr(value, "shape") and hasattr(value, "dtype") and tuple(value.shape) != ():
        return f"<{type(value).__name__} of shape {tuple(value.shape)}, {value.dtype}>"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a failing repr of the caller's class must not hide the error that it belongs to
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def add_note(error: BaseException, note: str) -> None:
    """Add a note to an exception, which Python prints below it; Python 3.10 keeps it in `__notes__`, unprinted."""
    if sys.version_info >= (3, 11):
        error.add_note(note)
    else:
        vars(error).setdefault("__notes__", []).append(note)


def said(error: BaseException) -> str:
    """Return the type and the first sentence of a library's error, without the names of TensorFlow's nodes."""
    plain = re.sub(r"\{\{.*?\}\} ?|\x1b\[[0-9;]*m", "", str(error).strip())
    plain = re.sub(r"^Exception encountered when calling .*\n+", "", plain) or "no more"
    sentence = re.split(r"\.\s|\n| for '| \[Op:", plain)[0].rstrip(".")
    return f"{type(error).__name__}: {sentence}."


def fits_memory(argument: str, value: Any, numbers: int) -> None:
    """Raise ValueError where an argument asks for a table of more than 2**28 `numbers`, which take 2 GiB."""
    if numbers > _MOST_NUMBERS:
        raise ValueError(
            f"`{argument}` must ask for a table of at most {_MOST_NUMBERS:,} numbers (2 GiB); this one would have "
            f"{numbers:,}. {received(argument, value)}"
        )


def whole(argument: str, value: Any, least: int = 1, most: int = LARGEST) -> int:
    """Return a whole number of any type, NumPy's too, as Python's.

    Raises:
        ValueError: If it is no whole number, or not from `least` to `most`.

    Example:
        >>> from kerasteach.validation import whole
        >>> whole("epochs", 3)
        3
    """
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or not least <= value <= most:
        too_large = is_whole and value > most
        bounds = f"from {least} to {most}" if too_large or most < LONGEST else f"from {least}"
        raise ValueError(f"`{argument}` must be a whole number {bounds}. {received(argument, value)}")
    return int(value)


def finite(argument: str, value: Any) -> float:
    """Return a finite number of any type, NumPy's too, as Python's float.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is infinite, NaN, or too large for a float.

    Example:
        >>> from kerasteach.validation import finite
        >>> finite("threshold", 1)
        1.0
    """
    if not is_number(value):
        raise TypeError(f"`{argument}` must be a number. {received(argument, value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"`{argument}` must be finite. {received(argument, value)}")
    return number


def is_number(value: Any) -> bool:
    """Return whether a value is one real number, Python's or NumPy's; a bool, an array or a tensor is none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def flag(argument: str, value: Any) -> bool:
    """Return a flag, True or False (NumPy's too), or 0 or 1, as Python's.

    Raises:
        TypeError: If it is anything else.

    Example:
        >>> from kerasteach.validation import flag
        >>> flag("overwrite", 1)
        True
    """
    known = isinstance(value, (bool, int)) or type(value).__name__ in ("bool", "bool_")
    if not known or getattr(value, "shape", ()) != () or value not in (False, True):
        raise TypeError(f"`{argument}` must be True or False. {received(argument, value)}")
    return bool(value)


def choice(argument: str, value: Any, options: Iterable[Name], otherwise: str = "") -> Name:
    """Return a name that is one of several, exactly as it is written there.

    Raises:
        TypeError: If it is no text.
        ValueError: If it is another name; the message lists the options, what is valid `otherwise` (`"a number"`), and
            the nearest option.

    Example:
        >>> from kerasteach.validation import choice
        >>> choice("mode", "min", ("min", "max"))
        'min'
    """
    options = list(options)
    for option in options:
        if isinstance(value, str) and value == option:
            return option
    listed = ", ".join(f'"{option}"' for option in options)
    listed = f"{listed}, or {otherwise}" if otherwise else listed
    error = ValueError if isinstance(value, str) else TypeError
    raise error(f"`{argument}` must be one of {listed}. {received(argument, value)}{did_you_mean(value, options)}")


def did_you_mean(value: Any, options: Iterable[str]) -> str:
    """Return `" Did you mean 'tanh'?"` where one of the options is near what was written, or nothing.

    Example:
        >>> from kerasteach.validation import did_you_mean
        >>> did_you_mean("sigmod", ["sigmoid", "relu"]), did_you_mean("gelu", ["sigmoid", "swish"])
        (" Did you mean 'sigmoid'?", '')
    """
    by_lower = {option.lower(): option for option in options}
    close = get_close_matches(str(value).lower(), by_lower, n=1, cutoff=0.7) if isinstance(value, str) else []
    return f" Did you mean {by_lower[close[0]]!r}?" if close else ""


def text(argument: str, value: Any, empty: bool = False) -> str:
    """Return a text.

    Raises:
        TypeError: If it is no text.
        ValueError: If it is empty, unless `empty` is True.
    """
    if not isinstance(value, str):
        raise TypeError(f"`{argument}` must be a text. {received(argument, value)}")
    if not (empty or value.strip()):
        raise ValueError(f"`{argument}` must not be empty. {received(argument, value)}")
    return str(value)


def several(argument: str, value: Any, of: str = "values") -> list[Any]:
    """Return the entries of a list, a tuple or another collection; a text is not one of letters.

    Raises:
        TypeError: If it is no collection; the message names what it is a list `of`.

    Example:
        >>> from kerasteach.validation import several
        >>> several("hidden", (8, 4))
        [8, 4]
    """
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise TypeError(f"`{argument}` must be a list of {of}. {received(argument, value)}")
    try:
        return list(value)
    except Exception as error:  # an array or a tensor without a dimension, a symbolic one
        raise TypeError(f"`{argument}` must be a list of {of}. {received(argument, value)}") from error


def path(argument: str, value: Any) -> Path:
    """Return the absolute path of a file or directory, with `~` expanded; the disk is not touched.

    Raises:
        TypeError: If it is neither a text nor a path.
        ValueError: If it cannot be the name of a file: empty, with a NUL in it, or with a part that is too long.

    Example:
        >>> from kerasteach.validation import path
        >>> path("directory", "runs").name
        'runs'
    """
    if isinstance(value, bytes) or not isinstance(value, (str, os.PathLike)) or not isinstance(os.fspath(value), str):
        raise TypeError(f"`{argument}` must be a path, as text or pathlib.Path. {received(argument, value)}")
    name = os.fspath(value)
    too_long = any(len(os.fsencode(part)) > _LONGEST_NAME for part in Path(name).parts)
    if not name.strip() or "\0" in name or too_long:
        raise ValueError(f"`{argument}` must be a path that a file system can hold. {received(argument, value)}")
    try:
        return Path(os.path.abspath(Path(name).expanduser()))
    except RuntimeError as error:  # `~somebody`
        raise ValueError(f"`{argument}` names the home of an unknown user. {received(argument, value)}") from error


def array(argument: str, value: Any, ndim: int | None = None, of: str = "numbers") -> np.ndarray:
    """Return an array, a tensor, a frame or nested lists of numbers as a float64 array.

    Raises:
        TypeError: If its entries are no numbers; the message names what it is an array `of`.
        ValueError: If rows differ in length, or it does not have `ndim` dimensions.

    Example:
        >>> from kerasteach.validation import array
        >>> array("x", [[1, 2], [3, 4]], ndim=2).shape
        (2, 2)
    """
    import numpy as np

    if value is None:  # NumPy makes NaN of it
        raise TypeError(f"`{argument}` must be an array of {of}. {received(argument, value)}")
    try:
        numbers = np.asarray(value, dtype="float64")
    except OverflowError as error:
        raise ValueError(f"`{argument}` has a number too large for a float. {received(argument, value)}") from error
    except Exception as error:  # anything that the user's object raises while it is converted
        kind = ValueError if "inhomogeneous" in str(error) else TypeError
        reason = "rows of one length" if kind is ValueError else of
        raise kind(f"`{argument}` must be an array of {reason}. {received(argument, value)}") from error
    if ndim is not None and numbers.ndim != ndim:
        raise ValueError(
            f"`{argument}` must have {ndim} dimension{'s' if ndim != 1 else ''}. "
            f"Received: {argument} with {numbers.ndim}, of shape {numbers.shape}."
        )
    return numbers


def entries(argument: str, value: Any) -> np.ndarray:
    """Return an array of numbers, names or truth values as it is, out of an array, a tensor, a column or a list.

    Raises:
        ValueError: If rows differ in length.
        TypeError: If no array can be made of it.
    """
    import numpy as np

    try:
        return np.asarray(value.to_numpy() if hasattr(value, "to_numpy") else value)
    except Exception as error:  # anything that the user's object raises while it is converted
        kind = ValueError if "inhomogeneous" in str(error) else TypeError
        reason = "rows of one length" if kind is ValueError else "numbers or names"
        raise kind(f"`{argument}` must be an array of {reason}. {received(argument, value)}") from error


def table(argument: str, value: Any, columns: Iterable[str], made_by: str) -> pd.DataFrame:
    """Return a table that has certain columns, as `made_by` (`"GradientCapture.frame"`) returns one.

    Raises:
        TypeError: If it is no pandas DataFrame.
        ValueError: If it lacks columns, or has one of them twice.
    """
    import pandas as pd

    if not isinstance(value, pd.DataFrame):
        raise TypeError(f"`{argument}` must be a table such as {made_by} gives. {received(argument, value)}")
    present = [str(column) for column in value.columns]
    missing = [column for column in columns if column not in present]
    if missing:
        raise ValueError(
            f"`{argument}` lacks the columns {', '.join(missing)}; {made_by} gives a table that has them. "
            f"Received: the columns {', '.join(present) or 'none'}."
        )
    twice = sorted({column for column in columns if present.count(column) > 1})
    if twice:
        raise ValueError(f"`{argument}` has more than one column called {', '.join(twice)}.")
    return value


def function(argument: str, value: Any, what: str = "a function") -> Callable[..., Any]:
    """Return a value that can be called.

    Raises:
        TypeError: If it cannot.
    """
    if not callable(value):
        raise TypeError(f"`{argument}` must be {what}. {received(argument, value)}")
    return value
