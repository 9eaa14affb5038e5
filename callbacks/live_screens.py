"""Screens of a live plot: a picture in a notebook, a table in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import math
import sys
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from kerasteach.display import in_notebook
from kerasteach.tables.error_signal import signal_rows

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_BAR = 40  # letters
_OTHER_LINES = 8  # of a terminal, besides those of the layers
_DECADES = 2  # of the bars' scale, at least


@dataclass(frozen=True)
class Training:
    """What is shown of a training.

    Attributes:
        history: `epoch, metric, value`.
        gradients: The rows of the last epoch, where there are any.
        metrics: Which metrics are drawn.
        epoch: The epoch's number, from 1.
        epochs: How many there will be.
        note: What is said below.
    """

    history: pd.DataFrame
    gradients: pd.DataFrame | None
    metrics: tuple[str, ...]
    epoch: int
    epochs: int
    note: str = ""

    def headline(self) -> str:
        """Say where the training is: `epoch 3 of 10, loss 0.25, val_loss 0.3`."""
        last = self.history.drop_duplicates("metric", keep="last").set_index("metric")["value"]
        names = [name for metric in self.metrics for name in (metric, f"val_{metric}") if name in last.index]
        return ", ".join([f"epoch {self.epoch} of {self.epochs}", *(f"{name} {last[name]:.4g}" for name in names)])

    def norms(self) -> dict[str, float]:
        """Return the mean norm of each layer's error signal in the last epoch, from the input to the output."""
        if self.gradients is None:
            return {}
        rows = signal_rows(self.gradients)
        rows = rows if len(rows) else self.gradients
        groups = rows.groupby(["depth", "layer"])["norm"]
        means = groups.agg(lambda norms: norms.mean(skipna=False)).reset_index()
        return dict(zip(means["layer"].astype(str), means["norm"].astype(float), strict=True))


class Screen(Protocol):
    """Interface of a screen."""

    @property
    def pause(self) -> float:
        """Seconds between two redraws, at least."""

    @property
    def between_lines(self) -> bool:
        """Whether it writes where Keras's progress bar does, and must wait for the end of its line."""

    def show(self, training: Training, last: bool = False) -> None:
        """Show a training as it is now, or for the last time."""

    def close(self) -> None:
        """Leave everything as it was found."""


def screen(verbose: bool) -> Screen:
    """Return the screen for where the program runs.

    Args:
        verbose: Whether Keras writes lines of its own.
    """
    if in_notebook():
        return Notebook()
    from rich.console import Console

    console = Console(file=sys.stdout)
    if console.is_terminal and not console.is_dumb_terminal:
        return Terminal(console, verbose)
    return Lines(verbose)


class Notebook:
    """One picture in a cell's output, updated in place: a saved notebook has the last one."""

    pause, between_lines = 0.5, False

    def __init__(self) -> None:
        from IPython.display import display

        self._output: Any = display({"text/plain": "The training begins."}, raw=True, display_id=True)

    def show(self, training: Training, last: bool = False) -> None:
        """Replace the picture."""
        data = {"image/png": b64encode(picture(training)).decode(), "text/plain": _words(training)}
        self._output.update(data, raw=True)

    def close(self) -> None:
        """Do nothing."""


def picture(training: Training) -> bytes:
    """Draw a training, and return the PNG file."""
    from matplotlib.figure import Figure

    from kerasteach.plotting.training_figure import draw_training

    figure = Figure(layout="constrained")  # one that pyplot does not know: a notebook would show it once more
    draw_training(figure, training.history, training.gradients, training.metrics, training.note)
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _words(training: Training) -> str:
    """Describe the picture in a line, for those who cannot see it."""
    norms = list(training.norms().values())
    flow = f"gradient norm {norms[0]:.2g} in the first layer and {norms[-1]:.2g} in the last" if norms else ""
    return "; ".join(part for part in (training.headline(), flow, training.note) if part)


class Lines:
    """A line now and then, in a script whose output goes into a file or a pipe."""

    pause = 10.0

    def __init__(self, verbose: bool) -> None:
        self.between_lines = verbose

    def show(self, training: Training, last: bool = False) -> None:
        """Write one line."""
        print(_words(training), flush=True)  # noqa: T201  the output of a script

    def close(self) -> None:
        """Do nothing."""


class Terminal:
    """A table of the layers that stays in its place, with a bar for each gradient, on a logarithmic scale.

    Once something else is written meanwhile, by Keras's progress bar or another callback, the table would tear it
    apart: from then on there are lines, and the table once more at the end.

    Args:
        console: The terminal.
        verbose: Whether Keras writes lines of its own.
    """

    def __init__(self, console: Console, verbose: bool) -> None:
        self._console, self._lines = console, Lines(verbose)
        self.between_lines = verbose
        self._height = 0  # of the table that stands there
        self._scale: tuple[int, int] | None = (
            None  # powers of ten: it grows, and never shrinks, so that bars can be compared
        )
        self._in_place = not verbose
        self._watch: _Watch | None = None

    @property
    def pause(self) -> float:
        """A moment for the table, and longer for lines."""
        return 0.1 if self._in_place else Lines.pause

    def show(self, training: Training, last: bool = False) -> None:
        """Draw the table in the place of the last one, or below what was written meanwhile."""
        self._in_place = self._in_place and not (self._watch is not None and self._watch.seen)
        self.close()
        if self._in_place or last:
            self._scale = _decades(training.norms(), self._scale)
            rows, ascii_only = self._console.height - _OTHER_LINES, self._console.options.ascii_only
            self._replace(layer_table(training, rows, self._scale, ascii_only))
        else:
            self._lines.show(training)
        if self._in_place and not last:
            self._watch = _Watch()

    def close(self) -> None:
        """Leave the streams as they were found."""
        if self._watch is not None:
            self._watch.leave()
            self._watch = None

    def _replace(self, table: RenderableType) -> None:
        from rich.control import Control
        from rich.segment import ControlType

        up = ((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2))
        if self._in_place and self._height:
            self._console.control(Control(ControlType.CARRIAGE_RETURN, *up * self._height))
        self._height = len(self._console.render_lines(table, pad=False))
        self._console.print(table)


class _Watch:
    """Notes whether anything is written to the standard streams, and lets it pass.

    The first thing that is written puts the streams back, so that nothing stays behind after an error.
    """

    def __init__(self) -> None:
        self.seen = False
        self._streams = {name: getattr(sys, name) for name in ("stdout", "stderr")}
        self._placed = {name: _Passing(stream, self) for name, stream in self._streams.items() if stream is not None}
        for name, passing in self._placed.items():
            setattr(sys, name, passing)

    def leave(self) -> None:
        """Put the streams back, unless someone else has replaced them."""
        for name, passing in self._placed.items():
            if getattr(sys, name) is passing:
                setattr(sys, name, self._streams[name])


class _Passing:
    """A stream that passes everything on to another one."""

    def __init__(self, stream: Any, watch: _Watch) -> None:
        self._stream, self._watch = stream, watch

    def write(self, text: str) -> Any:
        """Write, and note it."""
        self._watch.seen = True
        self._watch.leave()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def layer_table(training: Training, most: int, scale: tuple[int, int], ascii_only: bool = False) -> RenderableType:
    """Return a table of the layers, with a bar for each gradient's norm.

    Args:
        training: The training.
        most: How many rows fit; of more layers some are shown.
        scale: The powers of ten between which the bars run.
        ascii_only: Whether the terminal has no other letters.
    """
    from rich.table import Table
    from rich.text import Text

    norms = training.norms()
    low, high = scale
    bars = f"bars from 1e{low:+03d} to 1e{high:+03d}, logarithmic" if norms else ""
    caption = "; ".join(part for part in (bars, training.note) if part)
    table = Table(title=Text(training.headline()), caption=Text(caption), title_justify="left", caption_justify="left")
    table.add_column("layer", no_wrap=True)
    table.add_column("gradient", justify="right", no_wrap=True)
    table.add_column("", min_width=_BAR, no_wrap=True)
    for layer, norm in _some(norms, max(most, 3)).items():
        known = math.isfinite(norm)
        bar = ("#" if ascii_only else "█") * _length(norm, low, high)
        table.add_row(Text(layer), f"{norm:.2e}" if known else "not finite", Text(bar, style="cyan"))
    return table


def _some(norms: Mapping[str, float], most: int) -> dict[str, float]:
    """Return at most so many layers, evenly spaced, with the first and the last."""
    names = list(norms)
    if len(names) <= most:
        return dict(norms)
    chosen = sorted({round(place * (len(names) - 1) / (most - 1)) for place in range(most)})
    return {names[number]: norms[names[number]] for number in chosen}


def _decades(norms: Mapping[str, float], before: tuple[int, int] | None = None) -> tuple[int, int]:
    """Return the powers of ten between which all norms lie that are neither 0 nor not finite, and an earlier scale."""
    logs = [math.log10(norm) for norm in norms.values() if math.isfinite(norm) and norm > 0]
    if not logs:
        return before or (-_DECADES, 0)
    high = math.floor(max(logs)) + 1
    low = min(math.floor(min(logs)), high - _DECADES)
    return (min(low, before[0]), max(high, before[1])) if before else (low, high)


def _length(norm: float, low: int, high: int) -> int:
    if not math.isfinite(norm) or norm <= 0:
        return 0
    return max(1, round(_BAR * (math.log10(norm) - low) / (high - low)))
