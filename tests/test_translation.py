import io
import runpy
import string
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo

from kerasteach.translation import DOMAINS, LOCALE, SOURCE, languages, translations

CATALOGS = [(domain, language) for domain in DOMAINS for language in languages() if language != SOURCE]
MESSAGES = runpy.run_path(str(Path(__file__).parents[1] / ".ci" / "messages.py"))


def read(domain, language):
    """Return a catalog as its `.po` file has it."""
    return MESSAGES["read"](LOCALE / language / "LC_MESSAGES" / f"{domain}.po", language)


def messages(catalog):
    """Return a catalog's messages, each a tuple of its forms."""
    return {forms(message.id) for message in catalog if message.id}


def entries(catalog):
    """Return a catalog's translations by message: each a tuple of its forms."""
    return {forms(message.id): forms(message.string) for message in catalog if message.id}


def forms(text):
    """Return a message's forms: one, or singular and plural."""
    return (text,) if isinstance(text, str) else tuple(text)


def fields(text):
    """Return the names of the fields in a text that `str.format` fills."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize(("domain", "language"), CATALOGS)
def test_a_catalog_has_the_messages_of_the_code(domain, language):
    """After a change of a text `make messages` has been run."""
    assert messages(read(domain, language)) == messages(MESSAGES["extracted"](domain))


@pytest.mark.parametrize(("domain", "language"), CATALOGS)
def test_every_message_is_translated(domain, language):
    """No message of a catalog is empty or uncertain."""
    catalog = read(domain, language)
    assert not [message.id for message in catalog if message.id and (message.fuzzy or not all(forms(message.string)))]


@pytest.mark.parametrize(("domain", "language"), CATALOGS)
def test_a_translation_has_the_fields_of_its_message(domain, language):
    """What `str.format` fills in stands in both."""
    for message, translated in entries(read(domain, language)).items():
        assert set().union(*map(fields, translated)) == set().union(*map(fields, message)), message


@pytest.mark.parametrize(("domain", "language"), CATALOGS)
def test_the_compiled_catalog_is_that_of_the_text(domain, language):
    """The `.mo` file, which is read, has the translations of the `.po` file."""
    compiled = (LOCALE / language / "LC_MESSAGES" / f"{domain}.mo").read_bytes()
    assert entries(read_mo(io.BytesIO(compiled))) == entries(read(domain, language))


def test_an_unknown_language_is_refused():
    """The error names the languages that there are."""
    with pytest.raises(ValueError, match=r"`language` must be one of .*en.*de"):
        translations("explain", "fr")
