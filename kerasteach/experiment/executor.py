"""Train the groups of a comparison: one after the other in this process, or through an executor."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from kerasteach.experiment.groups import work
from kerasteach.experiment.networks import Group, Outcome
from kerasteach.experiment.progress import progress_bar
from kerasteach.experiment.run_directory import write_group
from kerasteach.experiment.workers import end_with_parent
from kerasteach.validation import add_note


def check_can_be_sent(executor: Executor | None, groups: Sequence[Group]) -> None:
    """Raise TypeError unless an executor can send every group to where it trains it.

    Dask and others pickle with cloudpickle, which takes functions that are defined anywhere.
    """
    if executor is None or isinstance(executor, ThreadPoolExecutor):
        return
    dumps = pickle.dumps if isinstance(executor, ProcessPoolExecutor) else _cloudpickle()
    for group in groups:
        try:
            dumps([network.build for network in group.networks])
        except Exception as error:
            raise TypeError(
                "With `executor`, activations and builders go to other processes: define them with `def` at the top "
                f"of a module, not inside a function, and not as a lambda. Received: {group.networks[0].keys}, which "
                f"cannot be pickled: {error}"
            ) from error


def _cloudpickle() -> Callable[[Any], bytes]:
    try:
        import cloudpickle
    except ImportError:
        return pickle.dumps
    return cloudpickle.dumps


def run(
    groups: Sequence[Group],
    trained: Mapping[int, Outcome] | None = None,
    directory: Path | None = None,
    *,
    executor: Executor | None,
    device: str,
    keep_weights: bool,
    verbose: bool,
) -> dict[int, Outcome]:
    """Train the groups that are not trained yet, and return all of them by their number.

    Args:
        groups: All groups of the comparison.
        trained: Those that are trained already. Defaults to `None`: none.
        directory: Where each is written as soon as it is trained. Defaults to `None`.
        executor: What trains them; `None` is this process.
        device: Where to train.
        keep_weights: Whether to keep the networks' weights.
        verbose: Whether to show a bar.
    """
    outcomes = dict(trained or {})
    with _note_how_to_resume(groups, outcomes, directory), progress_bar(verbose, groups) as bar:

        def store(number: int, outcome: Outcome) -> None:
            if directory is not None:
                write_group(directory, number, outcome)
            outcomes[number] = outcome
            bar.finished(number)

        for number in outcomes:
            bar.finished(number)
        missing = [number for number in range(len(groups)) if number not in outcomes]
        if executor is not None:
            task = _work_in_process if isinstance(executor, ProcessPoolExecutor) else work
            missing = _submit(executor, missing, lambda number: (task, groups[number], device, keep_weights), store)
            if missing:
                warnings.warn(
                    "The executor broke, as one does whose process died. What was trained is kept; the other "
                    f"{len(missing)} of {len(groups)} groups of networks are trained in this process.",
                    stacklevel=3,
                )
        for number in missing:
            store(number, work(groups[number], device, keep_weights, partial(bar.epoch, number)))
    return outcomes


def _work_in_process(group: Group, device: str, keep_weights: bool) -> Outcome:
    """Train a group in a process of a pool, which ends with the process that has the pool."""
    end_with_parent()
    return work(group, device, keep_weights)


@contextmanager
def _note_how_to_resume(
    groups: Sequence[Group], outcomes: Mapping[int, Outcome], directory: Path | None
) -> Iterator[None]:
    """Add a note to any exception: how much is kept, and how to resume."""
    try:
        yield
    except BaseException as error:
        networks = sum(len(group.networks) for group in groups)
        done = sum(len(groups[number].networks) for number in outcomes)
        if directory is None:
            add_note(error, f"{done} of {networks} networks were trained; with `directory=`, compare would keep them.")
        else:
            add_note(
                error,
                f"{done} of {networks} networks are kept in {directory}; the same call again, without `overwrite`, "
                "trains the others.",
            )
        raise


def _submit(
    executor: Executor,
    numbers: Sequence[int],
    task: Callable[[int], tuple[Any, ...]],
    store: Callable[[int, Outcome], None],
) -> list[int]:
    """Run tasks on an executor, store their results, and return the numbers of those it broke at."""
    futures: dict[Future[Outcome], int] = {}
    broken: list[int] = []
    failure: BaseException | None = None
    try:
        for number in numbers:
            try:
                futures[executor.submit(*task(number))] = number
            except BrokenExecutor:
                broken.append(number)
        for future in as_completed(futures):
            if future.cancelled():
                if failure is None:  # cancelled by the executor, such as a cluster that lost the task
                    broken.append(futures[future])
                continue
            error = future.exception()
            if error is None:
                store(futures[future], future.result())
            elif isinstance(error, BrokenExecutor):
                broken.append(futures[future])
            elif failure is None:  # the others that have begun are kept, too
                failure = error
                _cancel(futures)
    except BaseException:
        _cancel(futures)
        raise
    if failure is not None:
        raise failure
    return sorted(broken)


def _cancel(futures: Iterable[Future[Outcome]]) -> None:
    for future in futures:
        future.cancel()
