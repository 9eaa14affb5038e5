"""Translations of the texts that readers see: gettext catalogs, one for each room that has such texts.

A message stands in the code in English, inside `_(...)` or `ngettext(...)`; these names come from `translations`. The
catalogs are `locale/<language>/LC_MESSAGES/<domain>.po`. `make messages` brings them up to date with the code and
compiles them. A new language is a new folder there: copy a `.po` file, translate it, and run `make messages`.
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path

from kerasteach.validation import choice

LOCALE = Path(__file__).parent / "locale"
# A catalog's name, and the rooms whose messages it has: folders or modules of this package.
DOMAINS = {"explain": ("lessons/backprop/explain",), "exercises": ("exercises",)}
SOURCE = "en"  # the language of the messages in the code


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that there are catalogs for, English first.

    Example:
        >>> from kerasteach.translation import languages
        >>> languages()[:2]
        ('en', 'de')
    """
    return (SOURCE, *sorted(folder.name for folder in LOCALE.iterdir() if folder.is_dir()))


@cache
def _catalog(domain: str, language: str) -> gettext.NullTranslations:
    if language == SOURCE:
        return gettext.NullTranslations()
    return gettext.translation(domain, LOCALE, [language], fallback=True)  # without a catalog: in English


def translations(domain: str, language: str = SOURCE) -> gettext.NullTranslations:
    """Return the messages of a domain in a language: its `gettext` and `ngettext` translate.

    Args:
        domain: A name out of `DOMAINS`.
        language: A language's code. Defaults to `"en"`, the language of the messages themselves.

    Raises:
        ValueError: If `language` is none of `languages()`.

    Example:
        >>> from kerasteach.translation import translations
        >>> translations("explain", "en").gettext("forward pass")
        'forward pass'
    """
    return _catalog(domain, choice("language", language, languages()))
