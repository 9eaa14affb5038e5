"""What a page says of a run beside its tables: what was run, by which call, with which versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class About:
    """What was run, in words.

    Attributes:
        title: The heading of the page.
        lead: One line below it: what was trained on what. Defaults to nothing.
        settings: What was trained on what and how, a row each: `{"data": "digits: 1437 examples to train on"}`.
        call: Python code that runs it again. Defaults to none.
        call_note: What the code needs besides. Defaults to nothing.
        versions: Of Python and of the packages, by name. Defaults to none: they are not known.
        error_below: The training loss at which training was to stop. Defaults to `None`: there was none.
    """

    title: str
    settings: Mapping[str, str]
    lead: str = ""
    call: str = ""
    call_note: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    error_below: float | None = None
