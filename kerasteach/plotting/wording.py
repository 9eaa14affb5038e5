"""Words of the figures in the reader's language, which `style` sets for the figures inside its block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from kerasteach.tables import names
from kerasteach.translation import SOURCE, translations

_DOMAIN = "figures"
_language: ContextVar[str] = ContextVar("language", default=SOURCE)


@contextmanager
def in_language(language: str) -> Iterator[None]:
    """Write the words of the figures inside this block in a language.

    Args:
        language: A language's code, such as `"de"`.

    Raises:
        ValueError: If there is no such language; the message names those that there are.

    Example:
        >>> from kerasteach.plotting.wording import gettext, in_language
        >>> with in_language("de"):
        ...     gettext("epochs trained")
        'trainierte Epochen'
    """
    translations(_DOMAIN, language)
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


def language() -> str:
    """Return the language of the figures that are drawn now."""
    return _language.get()


def gettext(message: str) -> str:
    """Return a message in the language of the figures that are drawn now; what is no message stays as it is."""
    return message and translations(_DOMAIN, language()).gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """Return the form of a message for a count, in the language of the figures that are drawn now."""
    return translations(_DOMAIN, language()).ngettext(singular, plural, count)


def times(factor: float) -> str:
    """Write a factor in two digits, in words where it has many, in the language of the figures that are drawn now."""
    return _grouped(gettext(names.times(factor)))


def grouped(number: int) -> str:
    """Write a whole number with its digits in groups of three: a comma in German would be a decimal point."""
    return _grouped(f"{number:,}")


def _grouped(number: str) -> str:
    return number if language() == SOURCE else number.replace(",", "\N{NARROW NO-BREAK SPACE}")


def epoch_name(epoch: int) -> str:
    """Return what to call an epoch that Keras counts from 0: in figures they count from 1, as Keras prints them."""
    return gettext("epoch {number}").format(number=epoch + 1)


def N_(message: str) -> str:  # noqa: N802  gettext's own name
    """Mark a message of a table in the code for the catalogs; `gettext` translates it where it is drawn."""
    return message


# Words that the tables' rooms give, which know no language.
_FROM_BELOW = (
    N_("more than a billion"),
    N_("more than a million"),
    N_("95 % t interval"),
    N_("95 % bootstrap interval"),
)
