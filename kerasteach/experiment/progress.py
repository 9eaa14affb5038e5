"""A bar that shows how far a comparison is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from kerasteach.experiment.groups import Group


class Bar:
    """Counts epochs of all networks; one that stopped early skips its other epochs.

    Args:
        bar: What is drawn.
        groups: The groups of networks that are to be trained.
    """

    def __init__(self, bar: Progress, groups: Sequence[Group]) -> None:
        self._bar = bar
        self._groups = groups
        self._epochs = [[0] * len(group.copies) for group in groups]
        self._finished = [False] * len(groups)
        self._task = bar.add_task("compiling", total=self._whole(range(len(groups))), done=self._count())

    def epoch(self, group: int, copy: int, epoch: int) -> None:
        """Note that one network of a group has trained an epoch, from 0."""
        self._epochs[group][copy] = epoch + 1
        keys = self._groups[group].copies[copy].keys
        self._show(", ".join(f"{name} {value}" if name == "seed" else str(value) for name, value in keys.items()))

    def finished(self, group: int) -> None:
        """Note that a group is trained, or was before."""
        self._finished[group] = True
        self._show("trained" if all(self._finished) else "training")

    def _show(self, description: str) -> None:
        done = sum(
            self._whole([number]) if self._finished[number] else sum(epochs)
            for number, epochs in enumerate(self._epochs)
        )
        self._bar.update(self._task, completed=done, description=description, done=self._count())

    def _count(self) -> str:
        """Say how many networks are done, and in which epoch those are that are being trained."""
        counts = [
            group.plan.epochs if finished else epoch
            for group, epochs, finished in zip(self._groups, self._epochs, self._finished, strict=True)
            for epoch in epochs
        ]
        whole = self._groups[0].plan.epochs
        current = max((epoch for epoch in counts if epoch < whole), default=0)
        epoch = f", epoch {current} of {whole}" if current else ""
        return f"{counts.count(whole)} of {len(counts)} networks{epoch}"

    def _whole(self, groups: Sequence[int] | range) -> int:
        return sum(len(self._groups[number].copies) * self._groups[number].plan.epochs for number in groups)


@contextmanager
def progress_bar(show: bool, groups: Sequence[Group]) -> Iterator[Bar]:
    """Show a bar with the networks that are done, the epoch, and the time left, while the block runs."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not show) as bar:
        yield Bar(bar, groups)
