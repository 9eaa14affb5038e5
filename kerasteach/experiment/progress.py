"""Progress bar of a comparison: networks and epochs that are done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kerasteach.experiment.networks import Group
from kerasteach.progress import Report
from kerasteach.progress import progress_bar as any_bar


class Bar:
    """Counts epochs of all networks; one that stopped early skips its other epochs.

    Args:
        report: Moves the bar.
        groups: The groups of networks that are to be trained.
    """

    def __init__(self, report: Report, groups: Sequence[Group]) -> None:
        self._report = report
        self._groups = groups
        self._epochs = [[0] * len(group.networks) for group in groups]
        self._finished = [False] * len(groups)
        self._show("compiling")

    def epoch(self, group: int, network: int, epoch: int) -> None:
        """Note that one network of a group has trained an epoch, from 0."""
        self._epochs[group][network] = epoch + 1
        keys = self._groups[group].networks[network].keys
        self._show(", ".join(f"{name} {value}" if name == "seed" else str(value) for name, value in keys.items()))

    def finished(self, group: int) -> None:
        """Note that a group is trained, or was before."""
        self._finished[group] = True
        self._show("trained" if all(self._finished) else "training")

    def _show(self, description: str) -> None:
        completed = sum(
            _epochs([self._groups[number]]) if self._finished[number] else sum(epochs)
            for number, epochs in enumerate(self._epochs)
        )
        self._report(completed, description, self._count())

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


@contextmanager
def progress_bar(show: bool, groups: Sequence[Group]) -> Iterator[Bar]:
    """Show a bar with the networks that are done, the epoch, and the time left, while the block runs."""
    with any_bar(show, _epochs(groups), "compiling") as report:
        yield Bar(report, groups)


def _epochs(groups: Sequence[Group]) -> int:
    return sum(len(group.networks) * group.plan.epochs for group in groups)
