"""Views of a recording, which captures and `record` share: its tables, a layer, a step, a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kerasteach.display import Displayed, View
from kerasteach.measure.recording.recording import Recording
from kerasteach.storage.manifest import versions
from kerasteach.tables.names import means
from kerasteach.tables.run import Run
from kerasteach.validation import LARGEST, did_you_mean, received, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Views(Displayed):
    """Tables of what was recorded so far, also while the training goes on."""

    _recording: Recording
    _unit = "layer"  # of a row's `path`
    _calls: Sequence[str] = (".frame", '.layer("name")', ".at(step)")

    def _fetch(self) -> None:
        """Fetch from the device what was recorded."""
        raise NotImplementedError

    def _refresh(self) -> None:
        """Fetch from the device what was recorded, unless another thread trains, which writes there meanwhile."""
        if not self._recording.is_elsewhere:
            self._fetch()

    def _save_rest(self) -> None:
        """Write what was recorded: the process ends."""
        self._refresh()
        self._recording.close()

    def _view(self) -> View:
        frame = self.frame
        title = type(self).__name__
        if not len(frame):
            return View(f"{title}: nothing recorded yet")
        count = f"{_counted(frame['path'].nunique(), self._unit)}, {_counted(frame['step'].nunique(), 'captured step')}"
        return View(f"{title}: {count}", frame, self._calls)

    @property
    def frame(self) -> pd.DataFrame:
        """The table of this training, or of the last one: a row a captured step, and variable or layer.

        `step` counts the calls of the optimizer's `apply` from 0, `epoch` is Keras's number, `depth` counts the
        layers from 1 at the input, and `norm` is the Euclidean norm. In another thread than that of the training, it
        has what was fetched from the device: each epoch, or more often where the device has no room for one.
        """
        self._refresh()
        return self._recording.table()

    @property
    def histograms(self) -> pd.DataFrame:
        """The histograms that `histogram=` asked for, a row a bin: the keys of `frame`, then `low, high, count`.

        A bin counts the entries with a magnitude from `low` up to, and without, `high`. Exact zeros are in the bin from
        0 to 0, NaN and infinite entries in the one from inf to inf.

        Raises:
            ValueError: If none were asked for.
        """
        self._refresh()
        return self._recording.histogram_table()

    def layer(self, name: str | int) -> pd.DataFrame:
        """Return the rows of one layer, or of those that a wildcard such as `"conv*"`, or the model around them, means.

        Args:
            name: The name, or the layer's number in the column `depth`.

        Raises:
            ValueError: If there is none; the message lists the layers.
            TypeError: If it is neither.
        """
        frame = self.frame
        if isinstance(name, str):
            chosen = frame[[means(name, layer) for layer in frame["layer"]]]
        elif isinstance(name, (int, np.integer)) and not isinstance(name, bool):
            chosen = frame[frame["depth"] == int(name)]
        else:
            raise TypeError(
                f"`name` must be a layer's name, or its number in the column `depth`. {received('name', name)}"
            )
        if chosen.empty:
            layers = frame[["depth", "layer"]].drop_duplicates().itertuples(index=False)
            names = [layer if isinstance(name, str) else f"{depth} {layer}" for depth, layer in layers]
            raise ValueError(
                f"`name` must be a layer that was recorded: {', '.join(names) or 'nothing yet'}. "
                f"{received('name', name)}{did_you_mean(name, names)}"
            )
        return chosen.reset_index(drop=True)

    def at(self, step: int) -> pd.DataFrame:
        """Return the rows of one step; -1 is the last that was recorded.

        Raises:
            ValueError: If it is no whole number, or that step was not recorded.
        """
        frame = self.frame
        steps = frame["step"].unique()
        number = whole("step", step, least=-LARGEST)
        if number < 0 and -number <= len(steps):
            number = int(steps[number])
        if number not in steps:
            known = f"from {steps[0]} to {steps[-1]}, {len(steps)} of them" if len(steps) else "none yet"
            raise ValueError(f"`step` must be a step that was recorded: {known}. {received('step', step)}")
        return frame[frame["step"] == number].reset_index(drop=True)

    def save(self, directory: str | Path) -> Path:
        """Write all tables as a new, numbered run in a directory, for `kerasteach.measure.read`.

        Returns:
            The run's own directory.
        """
        self._refresh()
        return self._recording.save(directory)

    def slides(self, path: str | Path, **options: Any) -> Path:
        """Write slides of what was recorded: the findings as titles, the numbers in the speaker's notes.

        Args:
            path: The file: `.pptx` for PowerPoint (needs python-pptx, of the extra `report`), `.qmd` for Quarto, `.md`
                for Marp; the figures of the last two stand in a folder beside the file.
            **options: Those of `kerasteach.report.slides.write_slides`, such as `figures=["gradient_flow"]` or
                `overwrite=True`.

        Returns:
            The path.

        Raises:
            ValueError: If the ending is another one, or nothing is recorded yet.
            FileExistsError: If a file exists and `overwrite` is false.
            ImportError: If python-pptx is needed and not installed.
        """
        from kerasteach.report.about import About
        from kerasteach.report.slides import write_slides

        self._refresh()
        about = About("One network in training", {}, versions=versions())
        return write_slides(path, Run(self._recording.tables()), about, **options)


class GradientViews(Views):
    """Views of a recording of gradients."""

    _unit = "parameter"
    _calls = (".plot()", *Views._calls)

    @property
    def raw(self) -> dict[int, dict[str, np.ndarray]]:
        """The whole gradients that `raw=` asked for: for each step, by the path of the variable."""
        self._refresh()
        return self._recording.raw()

    def plot(self, **options: Any) -> Axes:
        """Draw the gradient's norm against the layer: see `kerasteach.plotting.gradient_flow`.

        Args:
            **options: Those of `gradient_flow`: `parameter`, `epoch`, `ax`.

        Returns:
            The axes.
        """
        from kerasteach.plotting import gradient_flow

        return gradient_flow(self.frame, **options)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
