"""Every figure with usual and awkward tables, made by hand: for the test of the boxes and for `make gallery`.

A new figure of networks is a line of `OF_NETWORKS`, any other one a line for each of its cases in `OTHERS`.
"""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd

from kerasteach import plotting
from kerasteach.tables.training_step import Traced, step_table

STYLES = ("lecture", "paper", "notebook")
NAMES = ("sigmoid", "tanh", "relu", "leaky_relu", "gelu", "elu", "selu", "silu", "softsign", "my own", "linear", "mish")


def networks(count=3, seeds=3, epochs=12, layers=5, *, names=NAMES, layer="hidden_{}", change=None):
    """Return the tables of a comparison: losses fall, gradients vanish towards the input.

    Args:
        count: How many networks.
        seeds: How many seeds of each.
        epochs: How many epochs.
        layers: How many layers.
        names: What the networks are called.
        layer: What a layer is called, with a place for its number.
        change: A function of the values of a table. Defaults to `None`: they stay as they are.
    """
    numbers = np.random.default_rng(0)
    names = [names[place % len(names)] for place in range(count)]
    keys = pd.MultiIndex.from_product([names, range(seeds), range(epochs)], names=["activation", "seed", "epoch"])
    runs = keys.to_frame(index=False)
    place = runs["activation"].map(names.index)
    loss = 2.3 * np.exp(-runs["epoch"] / (2 + 2 * place)) + 0.05 + 0.05 * numbers.random(len(runs))
    metrics = {"loss": loss, "accuracy": 1 - loss / 2.6, "val_loss": 1.1 * loss, "val_accuracy": 0.97 - loss / 2.6}
    history = pd.concat([runs.assign(metric=name, value=value) for name, value in metrics.items()], ignore_index=True)
    rows = runs.assign(step=runs["epoch"]).merge(pd.DataFrame({"depth": range(1, layers + 1)}), how="cross")
    rows = rows.merge(pd.DataFrame({"parameter": ["kernel", "bias"]}), how="cross")
    rows.insert(4, "layer", [layer.format(depth) if depth < layers else "output" for depth in rows["depth"]])
    fall = rows["activation"].map(names.index) % 4
    rows["norm"] = 10.0 ** -((layers - rows["depth"]) * 4 / max(layers, 4) / (1 + fall)) * (
        0.5 + numbers.random(len(rows))
    )
    grid = pd.DataFrame({"x_1": np.linspace(-1, 1, 9)}).merge(pd.DataFrame({"x_2": np.linspace(-1, 1, 9)}), how="cross")
    ends = runs[["activation", "seed"]].drop_duplicates().merge(grid, how="cross")
    first = 1 / (1 + np.exp(-5 * (ends["x_1"] + 0.3 * ends["seed"] * ends["x_2"])))
    planes = [ends.assign(output=f"class {number}", value=value) for number, value in enumerate((first, 1 - first))]
    tables = SimpleNamespace(history=history, gradients=rows, predictions=pd.concat(planes, ignore_index=True))
    if change is not None:
        for table, column in ((history, "value"), (rows, "norm"), (tables.predictions, "value")):
            table[column] = change(table[column])
    rows["update_ratio"] = 1e-3 * rows["norm"]
    biases = rows[rows["parameter"] == "bias"]
    shares = np.minimum(biases["norm"], 1)
    tables.activations = biases.drop(columns=["parameter", "norm", "update_ratio"]).assign(
        zero_fraction=shares, dead_fraction=0.5 * shares, saturated_fraction=1 - shares, mean=0.1, std=biases["norm"]
    )
    return tables


def levels(count=3):
    """Return the tables of a comparison with a loss at which training was to stop, and four classes."""
    tables = networks(count)
    setting = {"data": "digits", "hidden": [32] * 4, "learning_rates": {"": 0.1}, "error_below": 0.12, "classes": 4}
    for table in (tables.history, tables.gradients):
        table.attrs["setting"] = setting
    return tables


def histograms(layers=5, epochs=8, layer="hidden_{}", empty=False):
    """Return counts of one network's gradients by magnitude, which fall towards the input."""
    low = 10.0 ** np.arange(-8, 2)
    keys = [range(epochs), range(1, layers + 1), low]
    rows = pd.MultiIndex.from_product(keys, names=["epoch", "depth", "low"]).to_frame(index=False)
    rows.insert(1, "step", rows["epoch"])
    rows.insert(2, "layer", [layer.format(depth) for depth in rows["depth"]])
    middle = -4 + 3 * rows["depth"] / layers - 0.1 * rows["epoch"]
    count = 0 if empty else (1000 * np.exp(-((np.log10(rows["low"]) - middle) ** 2))).astype(int)
    return rows.assign(parameter="kernel", high=10 * rows["low"], count=count)


def weights(scale=1.0, layers=3, name="hidden_{}"):
    """Return the weights of a network, by their names."""
    numbers = np.random.default_rng(0)
    return {f"{name.format(depth)}/kernel": scale * numbers.normal(size=(16, 16)) for depth in range(1, layers + 1)}


def line(count=3, seeds=3, names=NAMES):
    """Return what networks say of a regression with one feature."""
    place = networks(count, seeds, names=names).predictions.query("output == 'class 0' and x_2 == -1")
    return place.drop(columns="x_2").assign(output="y")


def plane(count=1, names=NAMES):
    """Return what networks say of a regression with two features."""
    return networks(count, 1, names=names).predictions.query("output == 'class 0'").assign(output="y")


def _not_finite(values):
    """Return values of which the last third is infinite, then not a number."""
    values = values.copy()
    values.iloc[len(values) * 2 // 3 :] = np.inf
    values.iloc[len(values) * 5 // 6 :] = np.nan
    return values


LONG = (
    "a network with dropout, weight decay and a learning rate of 0.001",
    "the_same_without_any_of_these_regularizers",
)
INPUTS = {
    "usual": {},
    "one of all": {"count": 1, "seeds": 1, "epochs": 1, "layers": 1},
    "one epoch": {"epochs": 1},
    "one seed": {"seeds": 1},
    "12 networks": {"count": 12, "seeds": 2, "epochs": 6},
    "100 layers": {"layers": 100, "seeds": 1, "epochs": 4},
    "long names": {"count": 2, "names": LONG, "layer": "encoder_block_with_attention_{}_dense", "layers": 8},
    "missing values": {"change": lambda values: values.where(np.arange(len(values)) % 5 > 0)},
    "all zero": {"change": lambda values: 0.0 * values},
    "not finite": {"change": _not_finite},
}
OF_NETWORKS = {
    "learning_curves": lambda tables: plotting.learning_curves(tables.history),
    "gradient_flow": lambda tables: plotting.gradient_flow(tables.gradients),
    "gradient_heat_map": lambda tables: plotting.gradient_heat_map(_first(tables.gradients)),
    "gradient_heat_map_figure": lambda tables: plotting.gradient_heat_map_figure(tables.gradients),
    "lecture_figure": lambda tables: plotting.lecture_figure(tables.history, tables.gradients),
    "score_distribution": lambda tables: plotting.score_distribution(tables.history),
    "activation_statistics": lambda tables: plotting.activation_statistics(tables.activations),
    "activation_statistics_figure": lambda tables: plotting.activation_statistics_figure(
        tables.activations.query("seed == 0")
    ),
    "network_gradients": lambda tables: plotting.network_gradients(_first(tables.gradients)),
    "network_gradients_figure": lambda tables: plotting.network_gradients_figure(tables.gradients),
    "update_ratios": lambda tables: plotting.update_ratios(_first(tables.gradients)),
    "update_ratios_figure": lambda tables: plotting.update_ratios_figure(tables.gradients),
}
OF_PLANES = {
    "decision_boundary": lambda tables: plotting.decision_boundary(_first(tables.predictions)),
    "decision_boundary_figure": lambda tables: plotting.decision_boundary_figure(tables.predictions),
}
PLANES = ("usual", "one seed", "12 networks", "long names", "not finite")  # of probabilities, which none may lack


def _first(table):
    """Return the rows of the first network."""
    return table[table["activation"] == table["activation"].iloc[0]]


def curves(count=3):
    """Return the table of activation functions: so many shifted sigmoids."""
    x = np.linspace(-5, 5, 101)
    values = {name: 1 / (1 + np.exp(number - x)) for number, name in enumerate(NAMES[:count])}
    parts = [{"activation": name, "x": x, "value": y, "derivative": y * (1 - y)} for name, y in values.items()]
    return pd.concat(map(pd.DataFrame, parts), ignore_index=True)


def descent(rates=(0.05, 0.3, 0.9), steps=30, coordinates=("x", "y")):
    """Return the paths of gradient descent in a bowl."""
    parts = []
    for rate in rates:
        place = 2.0 * (1 - rate) ** np.arange(steps + 1)
        value = len(coordinates) * place**2 / 2
        part = dict.fromkeys(coordinates, place) | {"value": value, "gradient_norm": 2 * np.abs(place)}
        keys = {"optimizer": "plain_sgd", "learning_rate": rate, "step": range(steps + 1)}
        parts.append(pd.DataFrame(keys | part | {"verdict": "converged" if rate > 0.2 else "still going"}))
    return pd.concat(parts, ignore_index=True)


def bowl(coordinates=("x", "y"), value="value"):
    """Return a bowl on a grid."""
    grid = np.meshgrid(*[np.linspace(-3, 3, 25)] * len(coordinates), indexing="ij")
    columns = {name: axis.ravel() for name, axis in zip(coordinates, grid, strict=True)}
    return pd.DataFrame({**columns, value: sum(axis.ravel() ** 2 for axis in grid) / 2})


def trajectory():
    """Return the path of a training on a bowl."""
    place = 2.5 * 0.7 ** np.arange(12)
    return pd.DataFrame({"snapshot": range(12), "a": place, "b": place / 2, "loss": place**2, "distance": 0.1})


def range_test(last=4.0):
    """Return a learning-rate test."""
    loss = np.r_[np.linspace(2.3, 0.6, 30), np.linspace(0.7, last, 10)]
    noise = 0.1 * np.random.default_rng(0).standard_normal(40)
    return pd.DataFrame({"learning_rate": np.geomspace(1e-5, 1, 40), "loss": loss + noise, "smoothed": loss})


def traced(*widths):
    """Return one traced step of sigmoid layers of these widths, the first of which is the input's."""
    numbers = np.random.default_rng(0)
    a = numbers.normal(size=(1, widths[0]))
    forward, layers = [], []
    for depth, (before, after) in enumerate(pairwise(widths), start=1):
        x, name = a, f"hidden_{depth}" if depth < len(widths) - 1 else "output"
        weights = numbers.normal(size=(before, after))
        z = x @ weights
        a = 1 / (1 + np.exp(-z))
        layers.append((name, depth, x, weights, a))
        for quantity, values in (("x", x), ("z", z), ("a", a)):
            forward.append(Traced("forward", quantity, values, ("example", "unit"), name, depth))
    parts = [*forward, Traced("error", "E", float(a.sum()), ())]
    back = a
    for name, depth, x, weights, out in reversed(layers):
        slope = back * out * (1 - out)
        parts += [
            Traced("backward", "dE/da", back, ("example", "unit"), name, depth),
            Traced("backward", "dE/dz", slope, ("example", "unit"), name, depth),
            Traced("backward", "dE/dW", x.T @ slope, ("source", "unit"), name, depth),
            Traced("backward", "dE/db", slope[0], ("unit",), name, depth),
            Traced("update", "W", weights, ("source", "unit"), name, depth),
            Traced("update", "b", np.zeros(len(out[0])), ("unit",), name, depth),
        ]
        back = slope @ weights.T
    return step_table(parts)


def classes(count=3, examples=60, wrong=0.2, name="class {}"):
    """Return true and predicted classes, and images of them: a disc that moves with the class."""
    numbers = np.random.default_rng(0)
    names = np.array([name.format(number) for number in range(count)])
    true = numbers.integers(0, count, examples)
    predicted = np.where(numbers.random(examples) < wrong, numbers.integers(0, count, examples), true)
    across = np.arange(8)
    images = np.exp(-((across - 7 * true[:, None, None] / max(count - 1, 1)) ** 2 + (across[:, None] - 3.5) ** 2) / 4)
    return images, names[true], names[predicted]


def confusion(count=3, names=NAMES):
    """Return the confusion of networks that are right in 8 of 10 cases."""
    keys = [names[:count], [0], ["setosa", "versicolor", "virginica"], ["setosa", "versicolor", "virginica"]]
    pairs = pd.MultiIndex.from_product(keys, names=["activation", "seed", "true", "predicted"]).to_frame(index=False)
    return pairs.assign(count=np.where(pairs["true"] == pairs["predicted"], 8, 1))


X = np.linspace(-1, 1, 20)
LONG_LAYER = "encoder_block_with_attention_{}_dense"
OTHERS = {
    "learning_curves, target": lambda: plotting.learning_curves(levels().history),
    "learning_curves, chance": lambda: plotting.learning_curves(levels(1).history, "accuracy", target=0.9),
    "lecture_figure, target and chance": lambda: plotting.lecture_figure(levels().history, levels().gradients),
    "lecture_figure, 6 networks, target and chance": lambda: plotting.lecture_figure(
        levels(6).history, levels(6).gradients
    ),
    "activation_histograms_figure, usual": lambda: plotting.activation_histograms_figure(histograms()),
    "gradient_histograms_figure, usual": lambda: plotting.gradient_histograms_figure(histograms()),
    "gradient_histograms_figure, one of all": lambda: plotting.gradient_histograms_figure(histograms(1, 1)),
    "gradient_histograms_figure, 100 layers": lambda: plotting.gradient_histograms_figure(histograms(100, 2)),
    "gradient_histograms_figure, long names": lambda: plotting.gradient_histograms_figure(histograms(layer=LONG_LAYER)),
    "gradient_histograms_figure, empty": lambda: plotting.gradient_histograms_figure(histograms(empty=True)),
    "weight_histograms_figure, usual": lambda: plotting.weight_histograms_figure(weights(), weights(2.0)),
    "weight_histograms_figure, one": lambda: plotting.weight_histograms_figure(weights(layers=1), weights(2.0, 1)),
    "weight_histograms_figure, all zero": lambda: plotting.weight_histograms_figure(weights(), weights(0.0)),
    "weight_histograms_figure, long names": lambda: plotting.weight_histograms_figure(
        weights(name=LONG_LAYER), weights(2.0, name=LONG_LAYER)
    ),
    "fitted_curve, usual": lambda: plotting.fitted_curve(line(), X, X**2, x_test=X + 0.05, y_test=X**2),
    "fitted_curve, 12": lambda: plotting.fitted_curve(line(12), X, X**2),
    "fitted_curve, long names": lambda: plotting.fitted_curve(line(2, names=LONG), X, X**2),
    "fitted_surface, usual": lambda: plotting.fitted_surface(plane(), np.stack([X, -X], axis=1), X),
    "fitted_surface_figure, usual": lambda: plotting.fitted_surface_figure(plane(3)),
    "fitted_surface_figure, long names": lambda: plotting.fitted_surface_figure(plane(2, LONG)),
    "confusion_matrix, usual": lambda: plotting.confusion_matrix(*classes()[1:]),
    "confusion_matrix, 12 classes": lambda: plotting.confusion_matrix(*classes(12, 5000)[1:]),
    "confusion_matrix, long names": lambda: plotting.confusion_matrix(*classes(name="a rather long class name {}")[1:]),
    "confusion_matrix_figure, usual": lambda: plotting.confusion_matrix_figure(confusion()),
    "confusion_matrix_figure, long names": lambda: plotting.confusion_matrix_figure(confusion(2, LONG)),
    "predictions_grid, usual": lambda: plotting.predictions_grid(*classes()),
    "predictions_grid, one": lambda: plotting.predictions_grid(*classes(1, 1)),
    "predictions_grid, long names": lambda: plotting.predictions_grid(*classes(name="a rather long class name {}")),
    "stills_figure, usual": lambda: plotting.stills_figure(plotting.gradient_flow, networks(seeds=1).gradients),
    "stills_figure, one epoch": lambda: plotting.stills_figure(plotting.learning_curves, networks(epochs=1).history),
    "activation_curves, usual": lambda: plotting.activation_curves(curves()),
    "activation_curves, one": lambda: plotting.activation_curves(curves(1)),
    "activation_curves, 12": lambda: plotting.activation_curves(curves(12)),
    "activations_figure, usual": lambda: plotting.activations_figure(curves()),
    "activations_figure, one": lambda: plotting.activations_figure(curves(1)),
    "activations_figure, 12": lambda: plotting.activations_figure(curves(12)),
    "descent_path, usual": lambda: plotting.descent_path(descent(), bowl(), [(0, 0)]),
    "descent_path, one coordinate": lambda: plotting.descent_path(descent(coordinates="x"), bowl("x"), [0]),
    "descent_path, 12": lambda: plotting.descent_path(descent(np.linspace(0.1, 1.9, 12)), bowl()),
    "descent_values, usual": lambda: plotting.descent_values(descent()),
    "descent_values, one step": lambda: plotting.descent_values(descent((0.3,), steps=1)),
    "descent_values, 12": lambda: plotting.descent_values(descent(np.linspace(0.1, 1.9, 12))),
    "learning_rate_test, usual": lambda: plotting.learning_rate_test(range_test(), 0.01),
    "learning_rate_test, explosion": lambda: plotting.learning_rate_test(range_test(1e9)),
    "learning_rate_test, not finite": lambda: plotting.learning_rate_test(range_test(np.nan)),
    "loss_surface, usual": lambda: plotting.loss_surface(bowl(("a", "b"), "loss"), trajectory()),
    "loss_surface, one coordinate": lambda: plotting.loss_surface(bowl("a", "loss"), trajectory()),
    "loss_surface, along the path": lambda: plotting.loss_surface(bowl(("component_1", "component_2"), "loss")),
    "traced_step, one unit": lambda: plotting.traced_step(traced(1, 1, 1)),
    "traced_step, usual": lambda: plotting.traced_step(traced(2, 3, 1)),
    "traced_step, a page of several": lambda: plotting.traced_step(traced(4, 4, 3), page=2),
}


def cases():
    """Return a function that draws each case, by its name."""

    def bound(draw, options):
        return lambda: draw(networks(**options))

    found = {f"{name}, {case}": bound(draw, INPUTS[case]) for name, draw in OF_NETWORKS.items() for case in INPUTS}
    found |= {f"{name}, {case}": bound(draw, INPUTS[case]) for name, draw in OF_PLANES.items() for case in PLANES}
    return found | OTHERS
