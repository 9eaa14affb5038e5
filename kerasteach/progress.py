"""A bar on standard error that shows how far a long piece of work is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class Report(Protocol):
    """What `progress_bar` yields: call it to say how far the work is."""

    def __call__(self, completed: float, description: str | None = None, done: str | None = None) -> None:
        """Move the bar to `completed`, and change the words before or after it where they are given."""


@contextmanager
def progress_bar(show: bool, total: float | None, description: str, done: str = "") -> Iterator[Report]:
    """Show a bar, and yield the function that moves it.

    Args:
        show: Whether there is to be a bar at all.
        total: What `completed` is when all is done; `None` where that is not known.
        description: The words before the bar.
        done: The words after it. Defaults to none.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not show) as bar:
        task = bar.add_task(description, total=total, done=done)

        def report(completed: float, description: str | None = None, done: str | None = None) -> None:
            words: dict[str, Any] = {} if done is None else {"done": done}
            bar.update(task, completed=completed, description=description, **words)

        yield report
