"""Bring the message catalogs up to date with the code, and compile them: `make messages`.

New messages enter each `.po` file with an empty translation, messages that the code no longer has leave it, and a
translation is kept where its message is unchanged.
"""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from kerasteach.translation import DOMAINS, LOCALE, SOURCE, languages


def extracted(domain: str) -> Catalog:
    """Return the messages of a domain as the code has them, without translations."""
    catalog = Catalog(project="kerasteach", charset="utf-8", header_comment="")
    for room in DOMAINS[domain]:
        place = LOCALE.parent / room
        found = (
            extract_from_dir(str(place), comment_tags=("Translators:",))
            if place.is_dir()
            else ((place.name, *message) for message in extract_from_file("python", str(place)))
        )
        for name, _, message, comments, context in found:
            catalog.add(message, locations=[(str(Path(room) / name), None)], auto_comments=comments, context=context)
    return catalog


def read(path: Path, language: str) -> Catalog:
    """Return the catalog of a `.po` file; an empty one where there is no file."""
    if not path.exists():
        return Catalog(
            locale=language,
            project="kerasteach",
            version="",
            header_comment="# Translations of kerasteach.",
            last_translator="The kerasteach developers",
            language_team=language,
            charset="utf-8",
            fuzzy=False,
        )
    with path.open("rb") as file:
        return read_po(file, locale=language)


def main() -> None:
    """Update and compile each catalog of each language."""
    for domain in DOMAINS:
        for language in languages():
            if language == SOURCE:
                continue
            path = LOCALE / language / "LC_MESSAGES" / f"{domain}.po"
            path.parent.mkdir(parents=True, exist_ok=True)
            catalog = read(path, language)
            catalog.update(extracted(domain), no_fuzzy_matching=True, update_creation_date=False)
            catalog.obsolete.clear()
            with path.open("wb") as file:
                write_po(file, catalog, width=120, sort_by_file=True, omit_header=False)
            with path.with_suffix(".mo").open("wb") as file:
                write_mo(file, catalog)
            missing = [message.id for message in catalog if message.id and not message.string]
            print(f"{path.relative_to(LOCALE)}: {len(catalog)} messages, {len(missing)} without a translation")


if __name__ == "__main__":
    main()
