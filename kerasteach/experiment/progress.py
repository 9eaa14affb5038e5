"""A bar that shows how far a comparison is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kerasteach import progress


@contextmanager
def progress_bar(show: bool, networks: int, epochs: int) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar that moves with each epoch, and yield the function to call for it."""
    seen: set[tuple[str, int]] = set()
    with progress.progress_bar(show, networks * epochs, "compiling", f"network 1 of {networks}") as report:

        def on_epoch(variant: str, seed: int, epoch: int) -> None:
            seen.add((variant, seed))
            position = (len(seen) - 1) * epochs + epoch + 1  # a network that stopped early skips its other epochs
            report(position, f"{variant}, seed {seed}", f"network {len(seen)} of {networks}, epoch {epoch + 1}")

        yield on_epoch
        report(networks * epochs, "trained", f"{networks} networks")
