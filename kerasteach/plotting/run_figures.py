"""Figures of a run by name: the one list that `kerasteach compare` and `kerasteach plot` draw from.

A new figure of a run is one entry of `_FIGURES`:

    RunFigure(gradient_heat_map_figure, ("gradients",), "gradient norm by layer and epoch, as colors", reading="..."),

It names the function, the tables that the function takes, in the order of its arguments, what the figure shows, for
`kerasteach plot RUN --list`, and how to read it, for the notes of a slide. The figure's name, and that of its file, is
the function's without `_figure`, unless `name=` gives another. A function that takes `page` is drawn on as many pages
as its first table needs, and one that takes `title` gets the caller's. Further fields are for figures that need more
than their tables: `if_`, a condition on the run; `options`, arguments that are made out of the run; `over="epoch"`
where `animate` can set it in motion; `usual=False` for a figure that is drawn only where it is named. A table that is
new to a comparison or a capture needs no change: it is in `Run.tables` under its name on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasteach.plotting.activation_histograms import activation_histograms_figure
from kerasteach.plotting.activation_statistics import activation_statistics_figure
from kerasteach.plotting.animate import animate
from kerasteach.plotting.captions import AUTO
from kerasteach.plotting.confusion_matrix import confusion_matrix_figure
from kerasteach.plotting.decision_boundary import decision_boundary_figure
from kerasteach.plotting.fitted_curve import fitted_curve
from kerasteach.plotting.fitted_surface import fitted_surface_figure
from kerasteach.plotting.gradient_flow import gradient_flow
from kerasteach.plotting.gradient_heat_map import gradient_heat_map_figure
from kerasteach.plotting.gradient_histograms import gradient_histograms_figure
from kerasteach.plotting.learning_curves import learning_curves
from kerasteach.plotting.lecture_figure import lecture_figure
from kerasteach.plotting.network_gradients import NETWORKS_ON_A_PAGE, network_gradients_figure
from kerasteach.plotting.pages import NETWORKS, pages
from kerasteach.plotting.score_distribution import score_distribution
from kerasteach.plotting.update_ratios import update_ratios_figure
from kerasteach.tables.run import Run
from kerasteach.validation import choice

_SCORES = ("val_accuracy", "val_loss")


def _always(run: Run) -> bool:
    return True


def _nothing(run: Run) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class RunFigure:
    """A figure of a run.

    Attributes:
        function: Draws it; called with the tables, and with `page` and `title` where it takes them.
        tables: The tables that it takes, in the order of its arguments.
        shows: What the figure shows, in a few words.
        name: Its name and that of its file. Defaults to the function's, without `_figure`.
        reading: How to read it, in a few sentences, for the notes of a slide. Defaults to nothing.
        if_: Says whether the figure fits a run that has the tables. Defaults to `True` for any run.
        options: Further arguments, out of the run. Defaults to none.
        over: The column over which it can be animated, such as `"epoch"`. Defaults to nothing: it cannot.
        usual: Whether it is drawn where no figure is named. Defaults to `True`.
        networks: How many networks a page has. Defaults to `6`.
    """

    function: Callable[..., Figure | Axes]
    tables: tuple[str, ...]
    shows: str
    name: str = ""
    reading: str = ""
    if_: Callable[[Run], bool] = _always
    options: Callable[[Run], dict[str, Any]] = field(default=_nothing)
    over: str = ""
    usual: bool = True
    networks: int = NETWORKS

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.function.__name__.removesuffix("_figure"))

    def fits(self, run: Run) -> bool:
        """Say whether a run has what the figure draws."""
        return all(map(run.has, self.tables)) and self.if_(run)

    def pages(self, run: Run) -> int:
        """Return on how many pages the figure is drawn."""
        if "page" not in signature(self.function).parameters:
            return 1
        return pages(run.tables[self.tables[0]], networks=self.networks)

    def draw(self, run: Run, title: str | None = AUTO, *, pages: int | None = None) -> Iterator[Figure]:
        """Yield the pages of the figure, each drawn when it is asked for.

        Args:
            run: A run that the figure fits.
            title: Its title; `None` for no title. Defaults to `"auto"`, the figure's own.
            pages: How many pages there are, where they are counted already. Defaults to `None`: they are counted.
        """
        takes = signature(self.function).parameters
        options = self.options(run)
        if title != AUTO and "title" in takes:
            options["title"] = title
        tables = [run.tables[name] for name in self.tables]
        for number in range(1, (self.pages(run) if pages is None else pages) + 1):
            drawn = self.function(*tables, **options, **({"page": number} if "page" in takes else {}))
            page = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
            assert isinstance(page, Figure)
            yield page

    def animation(self, run: Run, title: str | None = AUTO) -> FuncAnimation:
        """Return the animation of the figure over the column `over`.

        Args:
            run: A run that the figure fits.
            title: What stands above a frame, as `kerasteach.plotting.animate` takes it. Defaults to `"auto"`.
        """
        return animate(self.function, run.tables[self.tables[0]], self.over, title=title, **self.options(run))


def score_of(run: Run) -> str | None:
    """Return the metric of the test part: its accuracy, or its loss; `None` where there is no test part."""
    return next((name for name in _SCORES if name in set(run.tables["history"]["metric"].unique())), None)


def _has_seeds(run: Run) -> bool:
    history = run.tables["history"]
    return "seed" in history and history["seed"].nunique() > 1


_FIGURES = (
    RunFigure(
        lecture_figure,
        ("history", "gradients"),
        "learning curves, gradient flow and gradient heat maps on one page",
        reading="On top: the training loss, the test score, and the gradient by layer. Below: the gradient of each "
        "network by layer and epoch, as colors on one scale. Look first at the top right, then at the loss: a "
        "network whose gradient falls towards the input learns late or not at all.",
    ),
    RunFigure(
        learning_curves,
        ("history",),
        "training loss against the epochs",
        reading="Horizontal: epochs trained. Vertical: the loss on the training data, lower is better. A curve that "
        "stays flat does not learn. A band goes from the lowest to the highest seed.",
        options=lambda run: {"target": run.target},
    ),
    RunFigure(
        learning_curves,
        ("history",),
        "test accuracy, or the test loss of a regression, against the epochs",
        reading="Horizontal: epochs trained. Vertical: the score on examples that were not trained with. A gap to the "
        "training score is overfitting. A band goes from the lowest to the highest seed.",
        name="test_scores",
        if_=lambda run: score_of(run) is not None,
        options=lambda run: {"metric": score_of(run)},
    ),
    RunFigure(
        score_distribution,
        ("history",),
        "final score of each seed, with those that started alike joined",
        reading="Each point is one seed, after the last epoch. A thin line joins the networks of one seed, which "
        "began with the same initial weights where their shapes agree. Where the points of two networks "
        "overlap, one run would not have shown which is better.",
        if_=_has_seeds,
    ),
    RunFigure(
        gradient_flow,
        ("gradients",),
        "gradient norm by layer in the first epoch: where vanishing shows",
        reading="Horizontal: the layers, from the input (left) to the output (right). Vertical: the norm of the "
        "gradient, on a logarithmic scale: each line of the grid is a power of ten. A line that falls to the "
        "left has vanished: the first layers hardly learn. Flat is healthy.",
        over="epoch",
    ),
    RunFigure(
        gradient_heat_map_figure,
        ("gradients",),
        "gradient norm by layer and epoch, as colors",
        reading="Horizontal: epochs trained. Vertical: the layers, the output on top. Colors: the norm of the "
        "gradient, on a logarithmic scale. One color from top to bottom is healthy; a dark lower part has "
        "vanished.",
    ),
    RunFigure(
        network_gradients_figure,
        ("gradients",),
        "each network with the gradient that flows back through it, as arrows",
        reading="Each network is drawn from the input (left) to the output. The width of an arrow shows the gradient "
        "that flows back through it.",
        usual=False,
        networks=NETWORKS_ON_A_PAGE,
    ),
    RunFigure(
        update_ratios_figure,
        ("gradients",),
        "how far a step moves the weights, against their size: whether the learning rate fits",
        reading="Vertical: how far one step moves a kernel, divided by the size of the kernel. About 0.001 is usual; "
        "the shaded range is 0.0001 to 0.1. Above it the learning rate is too large, below it too small.",
        if_=lambda run: "update_ratio" in run.tables["gradients"],
    ),
    RunFigure(
        gradient_histograms_figure,
        ("gradient_histograms",),
        "how a layer's gradient entries are spread",
        reading="Left: how the magnitudes of all gradient entries are spread, for an early, a middle and a late "
        "epoch. Right: the same over time, a panel a layer. A mountain far to the left has vanished.",
    ),
    RunFigure(
        activation_statistics_figure,
        ("activations",),
        "dead and saturated units, zeros, and the spread of the outputs, by layer and epoch",
        reading="Vertical: the layers, the output on top. A dead unit puts out 0 for every example and learns "
        "nothing. An output near a limit is saturated: the derivative is small there.",
    ),
    RunFigure(
        activation_histograms_figure,
        ("activation_histograms",),
        "how a layer's outputs are spread",
        reading="How the magnitudes of the outputs of each layer are spread. Outputs that shrink from layer to layer "
        "leave the last ones nothing to work with.",
    ),
    RunFigure(
        confusion_matrix_figure,
        ("confusion",),
        "which class each network takes for which, in the test part",
        reading="Rows: the true class. Columns: the predicted class. The diagonal is right. A dark field off the "
        "diagonal is a pair of classes that the network confuses.",
    ),
    RunFigure(
        decision_boundary_figure,
        ("predictions",),
        "where the most probable class changes, for data with two features",
        reading="Colors: the class that the network finds most probable at each place of the plane. Points: the "
        "examples. The boundary is where the color changes.",
        if_=lambda run: run.task != "regression" and "x_2" in run.tables["predictions"],
        options=lambda run: run.examples(),
    ),
    RunFigure(
        fitted_surface_figure,
        ("predictions",),
        "the predicted value, for data with two features",
        reading="Colors: the value that the network predicts at each place of the plane. Points: the examples, in the "
        "same colors. A point that stands out is predicted badly.",
        if_=lambda run: run.task == "regression" and "x_2" in run.tables["predictions"],
        options=lambda run: run.examples(),
    ),
    RunFigure(
        fitted_curve,
        ("predictions",),
        "the predicted value, for data with one feature",
        reading="Lines: the value that each network predicts. Points: the examples. Between and beyond the points "
        "nothing but the network's own shape decides.",
        if_=lambda run: run.task == "regression" and "x_2" not in run.tables["predictions"],
        options=lambda run: run.examples(),
    ),
)
FIGURES: dict[str, RunFigure] = {figure.name: figure for figure in _FIGURES}


def fitting(run: Run, usual: bool = False) -> list[RunFigure]:
    """Return the figures that fit a run, in the order of the list.

    Args:
        run: The run.
        usual: Whether to leave out those that are drawn only where they are named. Defaults to `False`.
    """
    return [figure for figure in FIGURES.values() if figure.fits(run) and (figure.usual or not usual)]


def named(run: Run, names: Iterable[str]) -> list[RunFigure]:
    """Return the figures of these names, each once; `_figure` at the end, and `-` for `_`, make no difference.

    Raises:
        ValueError: If there is no such figure, or it does not fit the run.

    Example:
        >>> import kerasteach as kt
        >>> from kerasteach.plotting.run_figures import named
        >>> from kerasteach.tables.run import Run
        >>> run = Run({"history": kt.measure.history_table({"loss": [0.9, 0.4]})})
        >>> [figure.shows for figure in named(run, ["learning-curves"])]
        ['training loss against the epochs']
    """
    found: dict[str, RunFigure] = {}
    for name in names:
        plain = name.replace("-", "_").removesuffix("_figure")
        figure = FIGURES[choice("figures", plain if plain in FIGURES else name, FIGURES)]
        if not figure.fits(run):
            raise ValueError(f"`figures` must fit the run. {_misfit(figure, run)}")
        found[figure.name] = figure
    return list(found.values())


def _misfit(figure: RunFigure, run: Run) -> str:
    missing = [name for name in figure.tables if not run.has(name)]
    there = ", ".join(name for name in run.tables if run.has(name)) or "none"
    why = f"needs the table {' and '.join(missing)}; the run has {there}" if missing else f"shows {figure.shows}"
    fit = ", ".join(other.name for other in fitting(run)) or "none"
    return f"{figure.name} {why}. Those that fit: {fit}. Received: {figure.name}."
