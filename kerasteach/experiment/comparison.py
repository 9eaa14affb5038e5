"""Result of a comparison: its tables, in memory and on disk. Needs no Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kerasteach.display import Displayed, View
from kerasteach.experiment.networks import Outcome
from kerasteach.experiment.run_directory import finish, flat, groups_in, run_directory, weights_of
from kerasteach.experiment.summary import summarize
from kerasteach.experiment.title import setting, size
from kerasteach.storage.manifest import read_manifest
from kerasteach.storage.runs import load_arrays, load_run, save_run
from kerasteach.validation import path as checked_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Weights = dict[tuple[Any, ...], dict[str, np.ndarray]]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Displayed):
    """Result of a comparison, which shows its size and the medians of its summary in a shell and in a notebook.

    The tables begin with a column for each thing that varies (`activation`, `learning_rate`, ...) and `seed`.

    Attributes:
        history: A row a network, epoch and metric: `..., epoch, metric, value`.
        gradients: A row a network, captured step and trainable variable: the columns of `GradientCapture.frame`. Empty
            if nothing was captured.
        facts: The request, and what it ran on: arguments, variants, data, device, versions, and of each group of
            networks whether it was trained in one graph and how many seconds it took.
        predictions: For data with two features, the outputs of each network on a grid over them:
            `..., x_1, x_2, output, value`; for a regression on one feature, `..., x_1, output, value`; else empty.
            The grid is in the units of the arrays, the table or the file that were given; of a data set by name and of
            a `Dataset`, in those of its `x_train`.
            `attrs["features"]` has the features' names, where they have any.
        weights: With `keep_weights=True`, each network's last weights by the variables' paths:
            `result.weights["relu", 3]["mlp/hidden_1/kernel"]` for the seed 3. Else empty.
        confusion: Where classes are predicted, which of them each network takes for which in the test part, after its
            training: `..., true, predicted, count`, a row a pair that occurs; else empty. A network whose outputs are
            not finite gives every example the first class. `attrs["classes"]` has the classes in their order.
    """

    history: pd.DataFrame
    gradients: pd.DataFrame
    facts: dict[str, Any]
    predictions: pd.DataFrame = field(default_factory=pd.DataFrame)
    weights: Weights = field(default_factory=dict)
    confusion: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __post_init__(self) -> None:
        names = self.facts.get("data", {}).get("feature_names")
        if len(self.predictions) and names:
            self.predictions.attrs["features"] = list(names)
        classes = self.facts.get("data", {}).get("class_names")
        if len(self.confusion) and classes:
            self.confusion.attrs["classes"] = list(classes)
        if "data" in self.facts:
            for table in self._tables().values():
                table.attrs["setting"] = setting(self.facts)  # which figures put into words below their titles

    def summary(self, reference: Any = None) -> pd.DataFrame:
        """Return a row a variant: see `kerasteach.experiment.summarize`.

        Args:
            reference: The variant that the others are compared with: its name, or several in a tuple where several
                things vary. Defaults to `None`, the first.
        """
        keys = list(self.facts["variants"][0])
        # A column of its own where optimizers, each with its rate, are compared, and the rate is no key already.
        rates = self.facts.get("learning_rates") if "optimizer" in keys and "learning_rate" not in keys else None
        error_below = self.facts["arguments"]["error_below"]
        return summarize(self.history, self.gradients, error_below, keys, reference, rates)

    def plot(self, **options: Any) -> Figure | Axes:
        """Draw the usual figure: learning curves and gradients, under the finding and what was trained on what.

        Args:
            **options: Those of `kerasteach.plotting.lecture_figure`, such as `page=2`; of
                `kerasteach.plotting.learning_curves` where no gradients were captured.

        Returns:
            The lecture figure, or the axes of the learning curves.

        Example:
            >>> import kerasteach as kt
            >>> result = kt.compare("tanh", data="iris", hidden=(4,), seeds=1, epochs=1, verbose=0)
            >>> result.plot().get_suptitle()
            '...iris: 1 hidden layer of 4, learning rate 0.1...'
        """
        from kerasteach import plotting

        if self.gradients.empty:
            return plotting.learning_curves(self.history, **options)
        return plotting.lecture_figure(self.history, self.gradients, **options)

    def report(self, path: str | Path, *, overwrite: bool = False, verbose: int = 1) -> Path:
        """Write a page to hand out: what was run, the findings, the summary, the figures, the tables, and the call.

        It is one file that opens from disk and loads nothing. With the extra `report` it has charts besides that
        answer: a slider for the epochs, seeds to switch on and off.

        Args:
            path: The file, which ends in `.html`. Missing folders are made.
            overwrite: Whether an existing file may be replaced. Defaults to `False`.
            verbose: `1` for a progress bar on a terminal, `0` for none. Defaults to `1`.

        Returns:
            The path.

        Raises:
            ValueError: If the ending is another one.
            TypeError: If an argument is of the wrong kind.
            FileExistsError: If the file exists and `overwrite` is false.

        Example:
            >>> import tempfile, kerasteach as kt
            >>> result = kt.compare("tanh", data="iris", hidden=(4,), seeds=1, epochs=1, verbose=0)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     result.report(f"{folder}/tanh.html").name
            'tanh.html'
        """
        from kerasteach.experiment.about import about
        from kerasteach.experiment.saved_run import run_of
        from kerasteach.report.run_page import write_run_page

        return write_run_page(path, run_of(self), about(self.facts), overwrite=overwrite, verbose=verbose)

    def slides(self, path: str | Path, **options: Any) -> Path:
        """Write slides of the comparison: the findings as titles, the numbers in the speaker's notes.

        A question for the room comes before the figures, with the answer in its notes; the last slide has the call that
        makes the comparison again.

        Args:
            path: The file: `.pptx` for PowerPoint (needs python-pptx, of the extra `report`), `.qmd` for Quarto, `.md`
                for Marp; the figures of the last two stand in a folder beside the file.
            **options: Those of `kerasteach.report.slides.write_slides`, such as `figures=["gradient_flow"]`,
                `title="Depth"`, `dark=True` or `overwrite=True`.

        Returns:
            The path.

        Raises:
            ValueError: If the ending is another one, or there is no such figure.
            FileExistsError: If a file exists and `overwrite` is false.
            ImportError: If python-pptx is needed and not installed.

        Example:
            >>> import tempfile, kerasteach as kt
            >>> result = kt.compare("tanh", data="iris", hidden=(4,), seeds=1, epochs=1, verbose=0)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     result.slides(f"{folder}/tanh.qmd", figures=["learning_curves"]).name
            'tanh.qmd'
        """
        from kerasteach.experiment.about import about
        from kerasteach.experiment.saved_run import run_of
        from kerasteach.report.slides import write_slides

        return write_slides(path, run_of(self), about(self.facts), **options)

    def _view(self) -> View:
        summary = self.summary()
        medians = [name for name in summary if not str(name).endswith(("_min", "_max", "_low", "_high"))]
        calls = (".plot()", ".summary()", ".history", ".gradients", ".report(path)", ".save(directory)")
        return View(f"Comparison: {size(self.facts)}", summary[medians], calls)

    def save(self, directory: str | Path, *, overwrite: bool = False) -> None:
        """Write the tables as Parquet files, the weights if there are any, and `run.json`.

        Args:
            directory: Made if it is not there.
            overwrite: Whether a run that is there may be replaced, which stays until this one is written. Defaults to
                `False`.

        Raises:
            FileExistsError: If the directory holds a run already and `overwrite` is false, or a file that no run wrote
                under a name that this one needs.
            RuntimeError: If another process is writing there.
        """
        save_run(directory, self.facts, self._tables(), overwrite, {"weights": flat(list(self.weights.values()))})

    def _tables(self) -> dict[str, pd.DataFrame]:
        tables = {"history": self.history, "gradients": self.gradients}
        further = {"predictions": self.predictions, "confusion": self.confusion}
        return {**tables, **{name: table for name, table in further.items() if not table.empty}}

    @classmethod
    def load(cls, directory: str | Path) -> Comparison:
        """Read what `save` or `compare(directory=...)` wrote; of a comparison that is not finished, what there is.

        Raises:
            FileNotFoundError: If the directory holds no run, or no network of it is trained yet.
            DamagedRunError: If a file of it is missing or is not what was written: see `kerasteach.measure`.
        """
        directory = checked_path("directory", directory)
        manifest = read_manifest(directory)
        if manifest.tables is None and (outcomes := groups_in(directory)):
            return assembled(manifest.facts, outcomes.values())
        if manifest.tables is None and not manifest.claimed:
            raise FileNotFoundError(f"No network is trained there yet. Received: directory={str(directory)!r}.")
        facts, tables = load_run(directory)
        names = tables["history"][[*facts["variants"][0], "seed"]].drop_duplicates().itertuples(index=False, name=None)
        weights = dict(zip(names, weights_of(load_arrays(directory, "weights")), strict=False))  # perhaps not kept
        further = [tables.get(name, pd.DataFrame()) for name in ("predictions", "confusion")]
        return cls(tables["history"], tables["gradients"], facts, further[0], weights, further[1])


def assembled(facts: Mapping[str, Any], outcomes: Iterable[Outcome]) -> Comparison:
    """Put the groups of a comparison together, in the order of its variants and seeds, however they were grouped."""
    outcomes = list(outcomes)
    variants, seeds = facts["variants"], facts["arguments"]["seeds"]
    order = [(*variant.values(), seed) for variant, seed in product(variants, seeds)]
    found = {
        tuple(network.values()): weights
        for outcome in outcomes
        for network, weights in zip(outcome.networks, outcome.weights, strict=False)  # perhaps not kept
    }
    tables = {
        name: _in_order([outcome.tables[name] for outcome in outcomes], [*variants[0], "seed"], order)
        for name in outcomes[0].tables
        if all(name in outcome.tables for outcome in outcomes)  # an earlier version may have begun, with fewer tables
    }
    groups = [outcome.facts() for outcome in outcomes]
    finished = sum(len(outcome.networks) for outcome in outcomes) == len(order)
    return Comparison(
        tables["history"],
        tables["gradients"],
        {**facts, "finished": finished, "seconds": sum(group["seconds"] for group in groups), "groups": groups},
        tables.get("predictions", pd.DataFrame()),
        {name: found[name] for name in order if name in found},
        tables.get("confusion", pd.DataFrame()),
    )


def _in_order(tables: Sequence[pd.DataFrame], keys: list[str], order: list[tuple[Any, ...]]) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    places = pd.MultiIndex.from_tuples(order).get_indexer(pd.MultiIndex.from_frame(table[keys]))
    return table.iloc[np.argsort(places, kind="stable")].reset_index(drop=True)


def resumed(
    directory: Path,
    facts: dict[str, Any],
    train: Callable[[Mapping[int, Outcome], Path], dict[int, Outcome]],
    overwrite: bool = False,
) -> Comparison:
    """Resume the comparison in a directory, or load it if it is finished.

    Args:
        directory: Where it is, or will be.
        facts: What `run.json` is to say, which must agree with what it does say.
        train: Called with the groups that are trained and the directory; returns all groups.
        overwrite: Whether to remove an existing run first. Defaults to `False`.
    """
    with run_directory(directory, facts, overwrite) as trained:
        if trained is not None:
            outcomes = train(trained, directory)
            result = assembled(facts, [outcomes[number] for number in sorted(outcomes)])
            finish(directory, result.facts, result._tables(), list(result.weights.values()))
    return Comparison.load(directory)
