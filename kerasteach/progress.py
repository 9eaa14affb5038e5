"""Progress bar on standard error; in a notebook, one line that is updated in place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Protocol

_SECONDS = 0.2  # between two updates of a notebook's line


class Report(Protocol):
    """Type of the function that `progress_bar` yields."""

    def __call__(self, completed: float, description: str | None = None, done: str | None = None) -> None:
        """Move the bar to `completed`, and change the text before or after it, where it is given."""


@contextmanager
def progress_bar(show: bool, total: float | None, description: str, done: str = "") -> Iterator[Report]:
    """Show a progress bar, and yield the function that moves it.

    Args:
        show: Whether anything is shown.
        total: The value of `completed` at the end; `None` where it is unknown.
        description: The text before the bar.
        done: The text after it. Defaults to none.
    """
    if not show:
        yield _nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if console.is_jupyter:  # where rich's bar needs ipywidgets
        line = _NotebookLine(total, description, done)
        try:
            yield line
        finally:
            line.close()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[done]}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(description, total=total, done=done)

        def report(completed: float, description: str | None = None, done: str | None = None) -> None:
            fields: dict[str, Any] = {} if done is None else {"done": done}
            bar.update(task, completed=completed, description=description, **fields)

        yield report


def _nothing(completed: float, description: str | None = None, done: str | None = None) -> None:
    """Report to nobody."""


class _NotebookLine:
    """One line of a cell's output: `training  40 %  6 of 15 networks`."""

    def __init__(self, total: float | None, description: str, done: str) -> None:
        from IPython.display import display

        self._total, self._completed = total, 0.0
        self._description, self._done = description, done
        self._updated = monotonic()
        self._output: Any = display({"text/plain": self._text()}, raw=True, display_id=True)

    def __call__(self, completed: float, description: str | None = None, done: str | None = None) -> None:
        self._completed = completed
        self._description = self._description if description is None else description
        self._done = self._done if done is None else done
        if monotonic() - self._updated >= _SECONDS:
            self.close()

    def close(self) -> None:
        """Show the last state."""
        self._updated = monotonic()
        self._output.update({"text/plain": self._text()}, raw=True)

    def _text(self) -> str:
        share = "" if not self._total else f"{100 * self._completed / self._total:.0f} %"
        return "  ".join(part for part in (self._description, share, self._done) if part)
