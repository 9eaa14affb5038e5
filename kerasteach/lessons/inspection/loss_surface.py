"""The error surface of a model: its loss over one or two directions in the space of its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import keras
import numpy as np
import pandas as pd

from kerasteach.callbacks import WeightSnapshots
from kerasteach.devices import require_tensorflow
from kerasteach.display import Displayed, View
from kerasteach.lessons.batches import Batches
from kerasteach.lessons.inspection.directions import (
    Plane,
    Weight,
    Weights,
    chosen_weights,
    random_directions,
    trajectory_directions,
)
from kerasteach.lessons.inspection.evaluation import check, mean_losses, prepare
from kerasteach.lessons.inspection.restore import left_as_found
from kerasteach.validation import array, finite, fits_memory, flag, is_number, received, several, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Along = Literal["random", "trajectory"] | Weight | Sequence[Weight]

_MARGIN = 1.2  # how far beyond the trajectory the grid reaches


@dataclass(frozen=True, eq=False, repr=False)
class LossSurface(Displayed):
    """A model's loss over one or two coordinates, and the training's trajectory there.

    Attributes:
        frame: A row a point of the grid: a column for each coordinate, then `loss`.
        trajectory: A row a snapshot: `snapshot`, from 0; the coordinates of the plane's point that is nearest to it;
            `loss`, with all of the snapshot's own weights; `distance`, the Euclidean one of its trainable weights from
            that point. `None` if no trajectory was given.
    """

    frame: pd.DataFrame
    trajectory: pd.DataFrame | None = None

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the loss, and the trajectory on it; returns the axes.

        Args:
            ax: Where to draw. Defaults to a new figure.

        Raises:
            TypeError: If `ax` is no axes.
        """
        from kerasteach import plotting

        return plotting.loss_surface(self.frame, self.trajectory, ax=ax)

    def _view(self) -> View:
        names = [str(name) for name in self.frame.columns[:-1]]
        count = "" if self.trajectory is None else f", with a trajectory of {len(self.trajectory)} snapshots"
        title = f"LossSurface over {' and '.join(names)}: {len(self.frame):,} points{count}"
        return View(title, self.frame, (".plot()", ".frame", *([".trajectory"] if count else [])))


def loss_surface(
    model: keras.Model,
    x: Any,
    y: Any = None,
    along: Along | None = None,
    *,
    trajectory: WeightSnapshots | Sequence[Weights] | None = None,
    ranges: Any = None,
    points: int | None = None,
    sample_weight: Any = None,
    batch_size: int = 256,
    seed: int = 0,
    verbose: int = 1,
) -> LossSurface:
    """Compute a model's loss on a grid of weights around those that it has.

    The loss is what `model.evaluate` would report at those weights: the compiled loss with its regularization, in
    inference mode, as the mean over the batches, each counted by its examples. At the center it is the model's own.
    The statistics of `BatchNormalization` are the model's everywhere. The model is never changed: the weights of the
    grid are only put in their place inside a computation, which is compiled once.

    Args:
        model: A compiled Keras model, trained or not.
        x: Inputs, `(examples, ...)`, as `fit` takes them; or a `tf.data.Dataset` or `keras.utils.PyDataset` of batches,
            which is gone through once. Each point of the grid costs about what `evaluate` costs on them, so take a
            part of large data, `x[:1000]`.
        y: Targets, `(examples, ...)`. Leave it out where `x` has them.
        along: Where to go from the model's weights. `("dense/kernel", (0, 1))` changes this one weight of a trainable
            variable, and two of these in a list two weights; the coordinates are the weights' values. `"random"` takes
            two random directions in which each filter is as large as the model's own (see `random_directions`); 1 is
            as far as the filter is long. `"trajectory"` takes the plane that comes nearest to the trajectory (see
            `trajectory_directions`); the coordinates are distances. Random directions hardly show a trajectory: nearly
            all of it is at right angles to them. Defaults to `"trajectory"` with a trajectory, `"random"` without.
        trajectory: A `WeightSnapshots`, or a list of snapshots of all weights, each as `model.get_weights()` returns
            it. Defaults to `None`.
        ranges: How far the grid reaches to both sides of the model's weights, a number; or from where to where, in
            coordinates, a pair for all axes or a pair for each. Defaults to 1, and as far as the trajectory goes.
        points: The grid's points along each axis; an odd number has the model's own weights among them. Defaults to 41
            for two axes, 101 for one.
        sample_weight: A weight for each example, `(examples,)`. Defaults to `None`.
        batch_size: How many examples to take at a time where `x` is arrays. Defaults to `256`.
        seed: Fixes the random directions. Defaults to `0`.
        verbose: `1` to show a progress bar on standard error, `0` for silence. Defaults to `1`.

    Returns:
        The tables `frame` and `trajectory`, and `plot()`, which draws them. A loss that is not finite stands there
        unchanged.

    Raises:
        ValueError: If the model is not compiled with a loss, or an argument will not do; the message names it.
        TypeError: Likewise, for a value of the wrong kind.
        RuntimeError: If Keras runs on another backend than TensorFlow.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, name="line")])
        >>> model.compile(loss="mse")
        >>> model.set_weights([np.array([[3.0]])])
        >>> x = np.ones((4, 1))
        >>> kt.loss_surface(model, x, 2 * x, ("line/kernel", (0, 0)), points=3, verbose=0).frame
           line/kernel[0, 0]  loss
        0                2.0   0.0
        1                3.0   1.0
        2                4.0   4.0

    Reference:
        Li, Xu, Taylor, Studer, Goldstein, "Visualizing the Loss Landscape of Neural Nets", NeurIPS 2018.
    """
    require_tensorflow()
    data = Batches(x, y, sample_weight, batch_size)
    check(model, data)
    seed, points = whole("seed", seed, least=0), None if points is None else whole("points", points, least=2)
    verbose = flag("verbose", verbose)
    with left_as_found(model, optimizer=False):
        prepare(model, data)
        snapshots = [] if trajectory is None else _checked_trajectory(model, trajectory)
        plane = _plane(model, along, snapshots, seed)
        table = _projected(plane, model, snapshots)
        lines = _lines(plane, ranges, points, table[list(plane.axes)].to_numpy())
        grid = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, len(lines))  # (points, axes)
        losses = mean_losses(model, data, plane, grid, snapshots, verbose)
    surface = pd.DataFrame(grid, columns=list(plane.axes)).assign(loss=losses[: len(grid)])
    table.insert(1 + len(lines), "loss", losses[len(grid) :])
    return LossSurface(surface, table if snapshots else None)


def _checked_trajectory(model: keras.Model, trajectory: Any) -> list[Weights]:
    shapes = [tuple(one.shape) for one in model.weights]
    trajectory = trajectory.snapshots if isinstance(trajectory, WeightSnapshots) else trajectory
    if not isinstance(trajectory, list | tuple) or not trajectory:
        raise TypeError(
            "`trajectory` must be a WeightSnapshots after a training, or list snapshots, each as model.get_weights() "
            f"returns it. {received('trajectory', trajectory)}"
        )
    snapshots = [_snapshot(weights) for weights in trajectory]
    for number, snapshot in enumerate(snapshots):
        if [one.shape for one in snapshot] != shapes:
            raise ValueError(
                f"`trajectory` must hold all weights of this model, of the shapes {shapes}. "
                f"Received: snapshot {number} of the shapes {[one.shape for one in snapshot]}."
            )
        if not all(np.isfinite(one).all() for one in snapshot):
            raise ValueError(
                f"`trajectory` must hold finite weights; leave out what a diverged training ended with. Received: "
                f"snapshot {number} has weights that are not finite."
            )
    return snapshots


def _snapshot(weights: Any) -> Weights:
    """Return the arrays of a snapshot, each in its own precision."""
    for values in several("trajectory", weights, "snapshots, each a list of arrays"):
        array("trajectory", values)
    return [np.asarray(values) for values in weights]


def _plane(model: keras.Model, along: Any, snapshots: list[Weights], seed: int) -> Plane:
    if along is None:
        along = "trajectory" if snapshots else "random"
    if isinstance(along, str) and along == "random":
        return random_directions(model, seed)
    if isinstance(along, str) and along == "trajectory":
        if not snapshots:
            raise ValueError('`along="trajectory"` needs snapshots in `trajectory`. Received: trajectory=None.')
        return trajectory_directions(model, [_trainable(model, one) for one in snapshots])
    single = isinstance(along, tuple) and len(along) == 2 and isinstance(along[0], str)
    named = list(along) if isinstance(along, list | tuple) and not single else [along]
    if not 1 <= len(named) <= 2:
        raise ValueError(f"`along` must name one or two weights. {received('along', along)}")
    return chosen_weights(model, named)


def _trainable(model: keras.Model, snapshot: Weights) -> Weights:
    """Return of a snapshot the values of the trainable variables, in their own order."""
    places = {id(variable): place for place, variable in enumerate(model.weights)}
    return [snapshot[places[id(variable)]] for variable in model.trainable_variables]


def _projected(plane: Plane, model: keras.Model, snapshots: list[Weights]) -> pd.DataFrame:
    rows = [[*place, distance] for place, distance in (plane.project(_trainable(model, one)) for one in snapshots)]
    table = pd.DataFrame(rows, columns=[*plane.axes, "distance"])
    table.insert(0, "snapshot", range(len(table)))
    return table


def _lines(plane: Plane, ranges: Any, points: int | None, trajectory: np.ndarray) -> list[np.ndarray]:
    """Return the grid's coordinates on each axis."""
    axes = len(plane.axes)
    points = points or (41 if axes == 2 else 101)
    fits_memory("points", points, points**axes * (axes + 1))
    if ranges is None or is_number(ranges):
        far = np.abs(trajectory - plane.origin).max(axis=0, initial=plane.reach / _MARGIN) * _MARGIN
        reach = far if ranges is None else np.full(axes, finite("ranges", ranges))
        if not (reach > 0).all():
            raise ValueError(f"`ranges` must be more than 0. {received('ranges', ranges)}")
        steps = np.arange(1 - points, points, 2) / (points - 1)  # from -1 to 1; exactly 0 in the middle
        return [middle + width * steps for middle, width in zip(plane.origin, reach, strict=True)]
    ends = array("ranges", ranges)
    if (
        ends.shape not in ((2,), (1, 2), (axes, 2))
        or not np.isfinite(ends).all()
        or not (ends[..., 0] < ends[..., 1]).all()
    ):
        raise ValueError(
            "`ranges` must be a number, or (from, to) with from < to, or such a pair for each axis. "
            f"{received('ranges', ranges)}"
        )
    return [np.linspace(low, high, points) for low, high in np.broadcast_to(ends, (axes, 2))]
