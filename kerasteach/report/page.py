"""Pages in one file: templates filled in, with styles and scripts inside, and a policy that forbids all else."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from kerasteach import validation
from kerasteach.storage.files import check_free, write_atomically


def page(
    template: str,
    *,
    styles: Sequence[str] = ("page.css",),
    scripts: Sequence[str] = (),
    allowed: Iterable[str] = (),
    further_style: str = "",
    **values: Any,
) -> str:
    """Fill a page's template in. Values are escaped; the template extends `page.html.j2`.

    Args:
        template: The template's file in `templates/`.
        styles: The style sheets there that the page has inside. Defaults to `page.css` alone.
        scripts: The scripts there that run at the page's end. Defaults to none.
        allowed: Text of further scripts that these scripts may run. Defaults to none.
        further_style: Rules of this page alone, with no name of a user's in them. Defaults to none.
        **values: What the template shows. `title` and `language` are needed by every page.

    Returns:
        The HTML.
    """
    style = Markup("\n").join([*map(asset, styles), Markup(further_style)])
    codes = [asset(name) for name in scripts]
    policy = _policy([style], [*codes, *allowed])
    return _environment().get_template(template).render(policy=policy, style=style, scripts=codes, **values)


@cache
def asset(name: str) -> Markup:
    """Return the text of a file in `templates/` as it is, for a `<style>` or a `<script>`."""
    return Markup((files(__package__) / "templates" / name).read_text(encoding="utf-8"))


def check_page(path: Any, overwrite: Any) -> Path:
    """Return the path of a page to write, checked before any work is done for it.

    Raises:
        ValueError: If the ending is another one than `.html`.
        FileExistsError: If the file exists and must stay.
    """
    path, overwrite = validation.path("path", path), validation.flag("overwrite", overwrite)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"`path` must end in .html. {validation.received('path', str(path))}")
    check_free(path, overwrite)
    return path


def write_page(path: Path, html: str) -> Path:
    """Write a page; it is complete or not there at all. Missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda temporary: temporary.write_text(html, encoding="utf-8", newline="\n"))
    return path


def _policy(styles: Iterable[str], scripts: Iterable[str]) -> str:
    """Return a Content-Security-Policy: these styles and scripts, pictures inside the page, and no request at all."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hashes(styles)}; script-src {_hashes(scripts)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hashes(texts: Iterable[str]) -> str:
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    return " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in digests) or "'none'"


def _sentence(text: str) -> str:
    """Return words as a sentence: with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""


def _code(text: str) -> Markup:
    """Return a text, escaped, with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"sentence": _sentence, "code": _code}
    return environment
