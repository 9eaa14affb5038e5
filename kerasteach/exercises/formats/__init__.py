"""Formats of exercises; a new one is a module and its line in `FORMATS`.

A format's function takes the sheets, whether to write the solutions, and what translates, and returns the content of
each file by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from kerasteach.exercises.formats import gift, moodle, notebook, paper
from kerasteach.exercises.formats.sheet import Sheet
from kerasteach.exercises.question import Gettext

Format: TypeAlias = Callable[[Sequence[Sheet], bool, Gettext], dict[str, bytes]]

FORMATS: dict[str, Format] = {
    "moodle": moodle.files,
    "gift": gift.files,
    "notebook": notebook.files,
    "markdown": paper.markdown_files,
    "latex": paper.latex_files,
    "pdf": paper.pdf_files,
}
