"""Decision regions of a model with two inputs: what it says of every point of the plane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import keras
import numpy as np
import pandas as pd
from keras import ops, tree

from kerasteach.display import Displayed, View
from kerasteach.lessons.inspection.outputs import class_names, loss_of_model, numbers_of, probabilities, task_of
from kerasteach.lessons.model_checks import checked_model
from kerasteach.tables.predictions import MARGIN, grid, predictions_table, value_names
from kerasteach.validation import array, entries, finite, fits_memory, received, said, several, text, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DATA_ERRORS = (ValueError, TypeError, IndexError, KeyError, AttributeError)  # which Keras raises for unfitting data


@dataclass(frozen=True, eq=False, repr=False)
class DecisionRegions(Displayed):
    """What a model says of every point of a plane, with the examples.

    Attributes:
        frame: A row a point of the grid and output: `x_1, x_2, output, value`; of a model with one input, without
            `x_2`. `output` is a class, and `value` its probability; in a regression, `value_1, value_2, ...` and the
            value. `attrs["features"]` has the features' names, where they were given.
        task: `"classification"` or `"regression"`.
        x: The examples, `(examples, 2)`.
        y: Their class numbers, or values; `None` where they were not given.
        x_test: Examples that the model was not trained on; `None` where there are none.
        y_test: Their class numbers, or values.
    """

    frame: pd.DataFrame
    task: str
    x: np.ndarray
    y: np.ndarray | None = None
    x_test: np.ndarray | None = None
    y_test: np.ndarray | None = None

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the regions of the classes, the values of a regression, or a curve; returns the axes.

        Args:
            ax: Where to draw. Defaults to a new figure.
            **options: Those of `kerasteach.plotting.decision_boundary`, `fitted_surface` or `fitted_curve`, such as
                `title`.

        Raises:
            TypeError: If `ax` is no axes.
        """
        from kerasteach import plotting

        y = {"x": None if self.y is None else self.x, "y": self.y, "x_test": self.x_test, "y_test": self.y_test}
        if "x_2" in self.frame:
            draw = plotting.decision_boundary if self.task == "classification" else plotting.fitted_surface
            return draw(self.frame, ax=ax, **{**y, **options})
        outputs = self.frame["output"].unique()
        if len(outputs) == 2 and self.task == "classification":  # the data are 0 and 1
            rows = self.frame[self.frame["output"] == outputs[1]]
            axes = plotting.fitted_curve(rows, ax=ax, **{**y, **options})
            axes.set_ylabel(f"probability of {outputs[1]}")
            return axes
        return plotting.fitted_curve(self.frame, ax=ax, **{**(y if len(outputs) == 1 else {}), **options})

    def _view(self) -> View:
        inputs = int("x_2" in self.frame) + 1
        outputs = self.frame["output"].nunique()
        kind = f"{outputs} classes" if self.task == "classification" else f"{outputs} value{'s' * (outputs > 1)}"
        points = len(self.frame) // outputs
        return View(
            f"DecisionRegions over {inputs} input{'s' * (inputs > 1)}: {kind} at {points:,} points, "
            f"{len(self.x):,} examples",
            self.frame,
            (".plot()", ".frame"),
        )


def decision_regions(
    model: keras.Model,
    x: Any,
    y: Any = None,
    *,
    x_test: Any = None,
    y_test: Any = None,
    classes: Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    task: Literal["classification", "regression"] | None = None,
    from_logits: bool | None = None,
    points: int | None = None,
    margin: float = MARGIN,
    batch_size: int = 1024,
) -> DecisionRegions:
    """Compute what a model with two inputs says of every point of a grid over the examples.

    The model may be any Keras model, trained or not, compiled or not, on any backend of Keras. It is called in
    inference mode and left as it was; a model that was never called is built. Models with one input give a curve.

    Args:
        model: A model that takes two numbers an example and gives out one tensor, `(examples, outputs)`.
        x: Examples as the model takes them, `(examples, 2)`; of a model with an input for each feature, a list or a
            dictionary of two columns. The grid covers them.
        y: Their targets, for the figure and for telling classes from values: class numbers, names, or one-hot rows; or
            values. Defaults to `None`.
        x_test: Examples that the model was not trained on, for the figure. Defaults to `None`.
        y_test: Their targets. Defaults to `None`.
        classes: The classes' names, in the order of the outputs. Defaults to `None`: the names in `y`, sorted, or the
            classes' numbers.
        features: The features' names, for the axes. Defaults to `None`: the columns of a table, else none.
        task: `"classification"` or `"regression"`. Defaults to `None`: a classification where the loss is a
            cross-entropy or a hinge, where the outputs are probabilities that add up to 1, or where they are from 0 to
            1 and all targets are 0 or 1.
        from_logits: Whether a classifier's outputs are logits, of which the softmax is taken, or the sigmoid where
            there is one output. Defaults to `None`: as the compiled loss says. Outputs from 0 to 1 that do not add up
            to 1, as of a sigmoid for each class, are divided by their sum.
        points: How many points the grid has along each side. Defaults to `None`: 60, and 200 of a model with one input.
        margin: How far the grid goes beyond the examples, as a share of their range. Defaults to `0.1`.
        batch_size: How many points the model is called with at a time. Defaults to `1024`.

    Returns:
        The table `frame`, the examples, and `plot()`, which draws them.

    Raises:
        TypeError: If the model is none of Keras, or an argument is of the wrong kind.
        ValueError: If the examples have other than one or two features or do not fit the model, or its outputs are no
            probabilities; the message names the argument.

    Example:
        >>> import keras, kerasteach as kt
        >>> moons = kt.datasets.load("moons")
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
        >>> model.compile(loss="binary_crossentropy")
        >>> regions = kt.decision_regions(model, moons.x_train, moons.y_train, classes=moons.classes, points=30)
        >>> regions
        DecisionRegions over 2 inputs: 2 classes at 900 points, ...
        >>> regions.plot().get_xlabel()
        'first feature'
    """
    model = checked_model(model)
    points = None if points is None else whole("points", points, 2)
    margin, batch_size = finite("margin", margin), whole("batch_size", batch_size)
    if margin < 0:
        raise ValueError(f"`margin` must not be negative. {received('margin', margin)}")
    shown, as_given = _examples("x", x)
    tested = None if x_test is None else _examples("x_test", x_test)[0]
    targets = [_targets("y", y, shown), _targets("y_test", y_test, tested)]
    fits_memory("points", points, (points or 0) ** shown.shape[1] * 8)
    plane = grid(shown, points, margin)
    values = _outputs(model, plane, as_given, batch_size)
    loss = loss_of_model(model)
    found = task_of(task, loss, values, targets[0])
    if found == "classification":
        values = probabilities(values, from_logits, loss)
        names = class_names(classes, targets[0], values.shape[1])
        targets = [numbers_of(name, y, names) for name, y in zip(("y", "y_test"), targets, strict=True)]
    else:
        names = value_names(values.shape[1])
    frame = predictions_table(plane, names, values.astype("float64"))
    named = _names(features, x, shown.shape[1])
    if named:
        frame.attrs["features"] = named
    return DecisionRegions(frame, found, shown, targets[0], tested, targets[1])


def _examples(argument: str, x: Any) -> tuple[np.ndarray, Callable[[np.ndarray], Any]]:
    """Return examples as one array `(examples, features)`, and a function that makes of such what the model takes."""
    apart = isinstance(x, dict) or (isinstance(x, list | tuple) and all(hasattr(part, "shape") for part in x))
    if not apart:
        examples = array(argument, x)
        single = examples.ndim == 1
        return _checked(argument, examples[:, None] if single else examples), lambda rows: rows
    columns = [array(argument, part) for part in tree.flatten(x)]
    columns = [column[:, None] if column.ndim == 1 else column for column in columns]
    if len({len(column) for column in columns}) != 1 or any(column.ndim != 2 for column in columns):
        raise ValueError(
            f"`{argument}` must have columns of one length. Received: shapes {[column.shape for column in columns]}."
        )
    ends = np.cumsum([column.shape[1] for column in columns])[:-1]

    def as_given(rows: Any) -> Any:
        return tree.pack_sequence_as(x, np.split(rows, ends, axis=1))

    return _checked(argument, np.concatenate(columns, axis=1)), as_given


def _checked(argument: str, examples: np.ndarray) -> np.ndarray:
    if examples.ndim != 2 or examples.shape[1] not in (1, 2) or not len(examples):
        raise ValueError(
            f"`{argument}` must be (examples, 2), two numbers an example, or one; other inputs have no plane. "
            f"Received: {argument} of shape {examples.shape}."
        )
    if not np.isfinite(examples).all():
        raise ValueError(
            f"`{argument}` must be finite: drop or fill what is missing. "
            f"Received: {int((~np.isfinite(examples)).sum())} NaN or infinite of {examples.size}."
        )
    return examples


def _targets(argument: str, y: Any, examples: np.ndarray | None) -> np.ndarray | None:
    if y is None:
        return None
    targets = entries(argument, y)
    targets = targets[:, 0] if targets.ndim == 2 and targets.shape[1] == 1 else targets
    if examples is None or targets.ndim not in (1, 2) or len(targets) != len(examples):
        raise ValueError(
            f"`{argument}` must have a target for each example of `{argument.replace('y', 'x')}`. "
            f"Received: {argument} of shape {targets.shape}{'' if examples is None else f', {len(examples)} examples'}."
        )
    return targets


def _outputs(model: keras.Model, plane: np.ndarray, as_given: Callable[[np.ndarray], Any], at_once: int) -> np.ndarray:
    """Return the model's outputs at points, `(points, outputs)`, in inference mode; no variable is written."""
    parts = []
    try:
        if not model.built:
            model(as_given(plane[:1]), training=False)
        for start in range(0, len(plane), at_once):
            with keras.StatelessScope(collect_losses=True):
                parts.append(model(as_given(plane[start : start + at_once]), training=False))
    except Exception as error:
        if not isinstance(error, _DATA_ERRORS) and not type(error).__module__.startswith(("tensorflow.", "torch.")):
            raise
        raise ValueError(
            f"`x` must be examples as the model takes them. Received: the model {model.name!r}, and "
            f"{plane.shape[1]} numbers an example, for which Keras says: {said(error)}"
        ) from error
    if any(not hasattr(part, "shape") or len(part.shape) not in (1, 2) for part in parts):
        raise ValueError(
            "`model` must give out one tensor, (examples, outputs); keras.Model(model.inputs, model.outputs[0]) takes "
            f"the first of several. Received: the model {model.name!r}, which gives out "
            f"{tree.map_structure(lambda part: tuple(part.shape), parts[0])}."
        )
    values = np.concatenate([np.asarray(ops.convert_to_numpy(part), "float64") for part in parts])
    return values[:, None] if values.ndim == 1 else values


def _names(features: Any, x: Any, count: int) -> list[str]:
    """Return the features' names: those given, or those of a table's columns or of the inputs."""
    if features is None:
        columns = list(getattr(x, "columns", x if isinstance(x, dict) else ()))
        return [str(name) for name in columns] if len(columns) == count else []
    names = [text("features", name) for name in several("features", features, "names")]
    if len(names) != count:
        raise ValueError(f"`features` must name the model's {count} inputs. {received('features', features)}")
    return names
