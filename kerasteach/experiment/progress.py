"""A bar that shows how far a comparison is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bar(show: bool, networks: int, epochs: int) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar that moves with each epoch, and yield the function to call for it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeRemainingColumn())
    seen: set[tuple[str, int]] = set()
    with Progress(*columns, console=Console(stderr=True), disable=not show) as bar:
        task = bar.add_task("compiling", total=networks * epochs, done=f"network 1 of {networks}")

        def on_epoch(variant: str, seed: int, epoch: int) -> None:
            seen.add((variant, seed))
            position = (len(seen) - 1) * epochs + epoch + 1  # a network that stopped early skips its other epochs
            bar.update(
                task,
                completed=position,
                description=f"{variant}, seed {seed}",
                done=f"network {len(seen)} of {networks}, epoch {epoch + 1}",
            )

        yield on_epoch
        bar.update(task, completed=networks * epochs, description="trained", done=f"{networks} networks")
