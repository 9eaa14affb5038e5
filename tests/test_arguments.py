"""Every public argument, given odd values: it works, or its error names the argument and shows what was received."""

import inspect
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

import kerasteach as kt
from kerasteach.exercises.check import code_of

ODD = {
    "None": lambda: None,
    "True": lambda: True,
    "a letter": lambda: "a",
    "no letter": lambda: "",
    "bytes": lambda: b"a",
    "a NUL": lambda: "a\0b",
    "a long name": lambda: "a" * 300,
    "10**400": lambda: 10**400,
    "10**30": lambda: 10**30,
    "2**63": lambda: 2**63,
    "2**31": lambda: 2**31,
    "-1": lambda: -1,
    "0": lambda: 0,
    "2.5": lambda: 2.5,
    "NaN": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "complex": lambda: 1j,
    "NA": lambda: pd.NA,
    "NaT": lambda: pd.NaT,
    "[]": list,
    "{}": dict,
    "a list of None": lambda: [None],
    "a list of text": lambda: ["a"],
    "a list of NaN": lambda: [float("nan")],
    "a list of 10**400": lambda: [10**400],
    "a ragged list": lambda: [[1.0, 2.0], [3.0]],
    "a dictionary": lambda: {"a": None},
    "a generator": lambda: (number for number in range(2)),
    "an array of no axis": lambda: np.array(0.5),
    "an array of 1 axis": lambda: np.zeros(3),
    "an array of 2 axes": lambda: np.ones((2, 2)),
    "an array of text": lambda: np.array(["a", "b"]),
    "an array of objects": lambda: np.array([None, object()], dtype=object),
    "a tensor of no axis": lambda: tf.constant(0.5),
    "a tensor": lambda: tf.ones(3),
    "a symbolic tensor": lambda: keras.Input((2,)),
    "a table": lambda: pd.DataFrame({"a": [1.0]}),
    "a series": lambda: pd.Series([1.0]),
    "an object": object,
    "a class": lambda: dict,
    "a lambda": lambda: lambda: None,
    "a layer": lambda: keras.layers.Dense(1),
}


class ReachedError(Exception):
    """The arguments were accepted: the work itself would begin."""


class NoTraining(ThreadPoolExecutor):
    """An executor that never trains."""

    def submit(self, *_, **__):
        raise ReachedError


X, Y = np.linspace(-1, 1, 8).reshape(4, 2), np.linspace(0, 1, 4)[:, None]


@cache
def network():
    """Return a small compiled model, with its first weights."""
    made = keras.Sequential(
        [keras.Input((2,)), kt.layers.Dense(2, "tanh", name="dense"), kt.layers.Dense(1, name="last")]
    )
    made.compile(kt.optimizers.PlainSGD(0.1), "mse", run_eagerly=True)
    return made, made.get_weights()


def model():
    """Return one and the same small model for all calls, as it was at first."""
    made, weights = network()
    made.set_weights(weights)
    return made


@cache
def fitted():
    """Return a capture and the history of a training of two steps."""
    line = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="line")])
    line.compile("sgd", "mse")
    captures = kt.callbacks.GradientCapture(), kt.callbacks.ActivationCapture()
    return *captures, line.fit(X, Y, epochs=2, verbose=0, callbacks=[*captures])


def judged():
    """Return a rule that judged one epoch."""
    stop = kt.callbacks.StopOnError(0.1)
    stop.update(loss=0.5)
    return stop


@cache
def descent():
    """Return a short descent and its landscape."""
    return kt.gradient_descent("parabola", steps=3).frame, kt.lessons.landscape("parabola", points=9)


@cache
def dataset():
    """Return a small classification."""
    x, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    return kt.datasets.from_arrays(x, y)


@cache
def sheets():
    """Return exercises of a class of one."""
    return kt.exercises.make("descent", ["Ada"], "a long secret")


@cache
def code():
    """Return the code of a question, as a notebook has it."""
    return code_of(next(iter(sheets()._by_student.values())).questions[0], "salt", str)


@cache
def trace():
    """Return a traced step."""
    return kt.trace_step(model(), X[:1], Y[:1])


def clinic():
    """Return a case of the clinic with one cause to choose."""
    gradients, outputs, history = fitted()
    cause = {"a": "The learning rate is too low."}
    tables = kt.measure.history_table(history), gradients.frame, outputs.frame
    return kt.lessons.FaultClinic(0, cause, "a", *tables, X, Y)


@cache
def tape():
    """Return a tape that has recorded a step."""
    optimizer, variable = keras.optimizers.SGD(), keras.Variable([1.0])
    with kt.measure.record(optimizer) as recorded:
        optimizer.apply([keras.ops.ones(1)], [variable])
    return recorded


def gradients():
    """Return the table of the capture."""
    return fitted()[0].frame


def outputs():
    """Return the table of an ActivationCapture."""
    return pd.DataFrame({"epoch": 0, "depth": [1, 2], "layer": ["a", "b"], "zero_fraction": [0.5, 0.25]})


def bins():
    """Return a capture's histograms."""
    return pd.DataFrame({"epoch": 0, "depth": 1, "layer": "a", "low": [0.1, 1.0], "high": [1.0, 10.0], "count": 5})


def history():
    """Return the table of the training."""
    return kt.measure.history_table(fitted()[2])


@cache
def surface():
    """Return a loss surface along one weight."""
    return kt.loss_surface(model(), X, Y, ("dense/kernel", (0, 0)), points=3, verbose=0)


def curve():
    """Return the values of a regression along one feature."""
    return pd.DataFrame({"x_1": [0.0, 1.0, 2.0], "output": "value", "value": [0.0, 0.5, 1.0]})


def values():
    """Return the values of a regression over two features."""
    grid = pd.DataFrame([(a, b) for a in (0.0, 1.0) for b in (0.0, 1.0)], columns=["x_1", "x_2"])
    return grid.assign(output="value", value=[0.0, 0.5, 0.5, 1.0])


@cache
def comparison():
    """Return a comparison of two small networks, trained for an epoch."""
    return kt.compare(("tanh", "relu"), data=dataset(), hidden=(2,), seeds=1, epochs=1, verbose=0)


def saved():
    """Return a directory with a comparison in it, in the folder where the test runs."""
    if not Path("saved").exists():
        comparison().save("saved")
    return "saved"


def recorded():
    """Return a directory with a recorded run in it, likewise."""
    if not Path("run").exists():
        fitted()[0].save("run")
    return "run"


# Valid arguments of each public callable, as few as it needs to be quick; one argument at a time is then replaced.
BASE = {
    **{f"activations.{name}": lambda: {"x": [1.0, 2.0]} for name in kt.activations.names()},
    "activations.get": lambda: {"activation": "tanh"},
    "activations.derivative": lambda: {"activation": "tanh"},
    "activations.name_of": lambda: {"activation": kt.activations.tanh},
    "activations.table": lambda: {"activations": "tanh", "x": [1.0]},
    "callbacks.ActivationCapture": dict,
    "callbacks.Diagnosis": dict,
    "callbacks.GradientCapture": dict,
    "callbacks.ActivationCapture.report": lambda: {"path": "page.html"},
    "callbacks.GradientCapture.diagnose": dict,
    "callbacks.GradientCapture.report": lambda: {"path": "page.html"},
    "callbacks.LivePlot": dict,
    "callbacks.StopOnError": lambda: {"threshold": 0.1},
    "callbacks.StopOnError.plot": dict,
    "callbacks.StopOnError.update": lambda: {"loss": 0.5},
    "callbacks.WeightSnapshots": dict,
    **{f"callbacks.{kind}Capture.layer": lambda: {"name": "line"} for kind in ("Activation", "Gradient")},
    **{f"callbacks.{kind}Capture.at": lambda: {"step": 0} for kind in ("Activation", "Gradient")},
    **{f"callbacks.{kind}Capture.save": lambda: {"directory": "run"} for kind in ("Activation", "Gradient")},
    **{f"callbacks.{kind}Capture.slides": lambda: {"path": "run.qmd"} for kind in ("Activation", "Gradient")},
    "datasets.Dataset": lambda: {"name": "own", "x_train": X, "y_train": Y, "x_test": X, "y_test": Y},
    "datasets.from_arrays": lambda: {"x": X, "y": Y},
    "datasets.load": lambda: {"name": "iris"},
    "diagnosis.Findings.sentence": lambda: {"number": 0},
    "diagnosis.diagnose": lambda: {"gradients": gradients()},
    "diagnosis.explain": lambda: {"rule": "KT201"},
    "devices.resolve": dict,
    "devices.scope": dict,
    "exercises.Exercises.save": lambda: {"directory": "sheets"},
    "exercises.check": lambda: {"code": code(), "answer": 1.0},
    "exercises.make": lambda: {"kind": "descent", "students": ["Ada"], "secret": "a long secret"},
    "experiment.Comparison.summary": dict,
    "experiment.Comparison.report": lambda: {"path": "page.html"},
    "experiment.Comparison.save": lambda: {"directory": "saved"},
    "experiment.Comparison.slides": lambda: {"path": "run.qmd"},
    "experiment.Comparison.load": lambda: {"directory": saved()},
    "experiment.asked_again": lambda: {"directory": saved(), "data": "iris"},
    "experiment.compare": lambda: {
        "activations": "tanh",
        "data": dataset(),
        "hidden": (2,),
        "seeds": 1,
        "epochs": 1,
        "executor": NoTraining(1),
        "verbose": 0,
    },
    "experiment.summarize": lambda: {"history": comparison().history, "gradients": comparison().gradients},
    "layers.Dense": lambda: {"units": 2},
    "layers.Dense.pre_activation": lambda: {"x": X},
    "layers.LeakyReLU": dict,
    "layers.Softmax": dict,
    "lessons.DecisionRegions.plot": dict,
    "lessons.Descent.animate": dict,
    "lessons.Descent.landscape": dict,
    "lessons.Descent.plot": dict,
    "lessons.FaultClinic.check": lambda: {"answer": "a"},
    "lessons.LearningRateTest.plot": dict,
    "lessons.LossSurface.plot": dict,
    "lessons.TracedStep.explain": dict,
    "lessons.TracedStep.plot": dict,
    "lessons.TracedStep.report": lambda: {"path": "step.html", "overwrite": True},
    "lessons.decision_regions": lambda: {"model": model(), "x": X, "y": Y, "points": 2},
    "lessons.fault_clinic": dict,
    "lessons.find_learning_rate": lambda: {"model": model(), "x": X, "y": Y, "steps": 2, "verbose": 0},
    "lessons.functions.get": lambda: {"function": "parabola"},
    "lessons.gradient_descent": lambda: {"f": "parabola", "start": 1.0, "steps": 1},
    "lessons.landscape": lambda: {"f": "parabola", "around": (-1, 1), "points": 3},
    "lessons.loss_surface": lambda: {
        "model": model(),
        "x": X,
        "y": Y,
        "along": ("dense/kernel", (0, 0)),
        "points": 2,
        "verbose": 0,
    },
    "lessons.preflight": lambda: {"model": model(), "x": X, "y": Y, "steps": 2},
    "lessons.trace_step": lambda: {"model": model(), "x": X[:1], "y": Y[:1]},
    "lessons.training_loop": lambda: {
        "model": model(),
        "x": X,
        "y": Y,
        "learning_rate": 0.0,
        "epochs": 1,
        "error_below": 1e9,
    },
    "losses.HalfSquaredError": dict,
    "measure.history_table": lambda: {"history": {"loss": [0.5]}},
    "measure.read": lambda: {"directory": recorded()},
    "measure.read_raw": lambda: {"directory": recorded()},
    "measure.record": lambda: {"optimizer": keras.optimizers.SGD()},
    "measure.record.layer": lambda: {"name": "variable"},
    "measure.record.at": lambda: {"step": 0},
    "measure.record.slides": lambda: {"path": "run.qmd"},
    "measure.record.save": lambda: {"directory": "run"},
    "stopping.Target": lambda: {"metric": "loss", "threshold": 0.1},
    "stopping.Rule": lambda: {"targets": (kt.stopping.Target("loss", 0.1),)},
    "stopping.rule": lambda: {"threshold": 0.1},
    "models.mlp": lambda: {"hidden": (2,), "inputs": 2, "outputs": 2},
    "models.draw_weights": lambda: {"network": kt.models.mlp("tanh", (2,), inputs=2, outputs=2), "seed": 0},
    "initializers.for_activation": lambda: {"activation": "relu"},
    "initializers.seeded": lambda: {"initializer": "glorot_uniform", "seed": 0, "position": 0, "shape": (2, 2)},
    "optimizers.PlainSGD": dict,
    "optimizers.get": dict,
    "plotting.activation_curves": lambda: {"table": kt.activations.table("tanh")},
    "plotting.activation_histograms_figure": lambda: {"histograms": bins()},
    "plotting.activation_statistics": lambda: {"activations": outputs()},
    "plotting.activation_statistics_figure": lambda: {"activations": outputs()},
    "plotting.activations_figure": lambda: {"table": kt.activations.table("tanh")},
    "plotting.animate": lambda: {"figure_function": kt.plotting.learning_curves, "table": history(), "verbose": 0},
    "plotting.confusion_matrix": lambda: {"y_true": [0, 1, 1], "y_pred": [0, 1, 0]},
    "plotting.confusion_matrix_figure": lambda: {"confusion": comparison().confusion},
    "plotting.decision_boundary": lambda: {"predictions": predictions()},
    "plotting.decision_boundary_figure": lambda: {"predictions": predictions()},
    "plotting.describe": lambda: {"figure": Figure()},
    "plotting.descent_animation": lambda: {"descent": descent()[0], "landscape": descent()[1]},
    "plotting.descent_path": lambda: {"descent": descent()[0], "landscape": descent()[1]},
    "plotting.descent_values": lambda: {"descent": descent()[0]},
    "plotting.fitted_curve": lambda: {"predictions": curve()},
    "plotting.fitted_surface": lambda: {"predictions": values()},
    "plotting.fitted_surface_figure": lambda: {"predictions": values()},
    "plotting.gradient_flow": lambda: {"gradients": gradients()},
    "plotting.gradient_heat_map": lambda: {"gradients": gradients()},
    "plotting.gradient_heat_map_figure": lambda: {"gradients": gradients()},
    "plotting.gradient_histograms_figure": lambda: {"histograms": bins().assign(parameter="kernel")},
    "plotting.learning_curves": lambda: {"history": history()},
    "plotting.learning_rate_test": lambda: {"table": rates()},
    "plotting.lecture_figure": lambda: {"history": history(), "gradients": gradients()},
    "plotting.loss_surface": lambda: {"surface": surface().frame},
    "plotting.network_gradients": lambda: {"gradients": gradients()},
    "plotting.network_gradients_figure": lambda: {"gradients": gradients()},
    "plotting.pages": lambda: {"table": history()},
    "plotting.predictions_grid": lambda: {"images": np.zeros((2, 4, 4)), "y_true": [0, 1], "y_pred": [0, 0]},
    "plotting.save": lambda: {"figure": Figure(), "path": "figure.png"},
    "plotting.score_distribution": lambda: {"history": history()},
    "plotting.show_or_save": lambda: {"figure": Figure(), "path": "figure.png"},
    "plotting.stills_figure": lambda: {"figure_function": kt.plotting.learning_curves, "table": history()},
    "plotting.style": dict,
    "plotting.traced_step": lambda: {"table": trace().frame},
    "plotting.update_ratios": lambda: {"gradients": gradients().assign(parameter="kernel", update_ratio=0.01)},
    "plotting.update_ratios_figure": lambda: {"gradients": gradients().assign(parameter="kernel", update_ratio=0.01)},
    "report.write_report": lambda: {"path": "page.html", "history": history()},
    "plotting.weight_histograms_figure": lambda: {"before": {"a/kernel": [[0.5, 1.0]]}},
}
# What an error may call an argument besides: as the public function that most call names it, or by what is in it.
CALLED = defaultdict(
    list,
    {
        "activation": ["activations", "initializer="],
        "by": ["history"],  # which lacks the column
        "classes": ["y"],
        "data": ["x", "target"],
        "hue": ["confusion"],  # whose rows it does not tell apart
        "labels": ["y_true"],  # which has none of them
        "loss": ["monitor"],
        "metric": ["monitor"],
        "name": ["data"],
        "output_activation": ["activation"],
        "table": ["over"],  # which has no such column
    },
)
# What methods are called on.
INSTANCES = {
    "callbacks.ActivationCapture": lambda: fitted()[1],
    "callbacks.GradientCapture": lambda: fitted()[0],
    "callbacks.StopOnError": judged,
    "diagnosis.Findings": lambda: kt.diagnose(gradients().assign(norm=0.0)),
    "exercises.Exercises": sheets,
    "experiment.Comparison": comparison,
    "layers.Dense": lambda: model().layers[0],
    "lessons.DecisionRegions": lambda: kt.decision_regions(model(), X, Y, points=2),
    "lessons.Descent": lambda: kt.gradient_descent("parabola", steps=3),
    "lessons.FaultClinic": clinic,
    "lessons.LearningRateTest": lambda: kt.lessons.LearningRateTest(rates(), 0.1, "all steps were taken"),
    "lessons.LossSurface": surface,
    "lessons.TracedStep": trace,
    "measure.record": tape,
}
# Results, whose constructors only this package calls, and what measuring is made of, which is handed checked values.
NOT_CALLED_BY_USERS = {
    "devices.Device",
    "exercises.Exercises",
    "exercises.Verdict",
    "diagnosis.Findings",
    "lessons.DecisionRegions",
    "lessons.FaultClinic",
    "lessons.Marked",
    "experiment.Comparison",
    "lessons.Descent",
    "lessons.LossSurface",
    "lessons.LearningRateTest",
    "lessons.TracedStep",
    "lessons.functions.Function",
    "measure.DamagedRunError",
    "measure.gradients",
    "measure.records",
    "measure.runs",
    "measure.statistics",
    *(
        f"stopping.{name}"
        for name in ("Target.reason", "Target.value_in", "Rule.reason", "Rule.values_in", "direction", "unknown")
    ),
}


def public():
    """Return every public callable that takes an argument, by its name."""
    found = {}
    for room in filter(inspect.ismodule, (getattr(kt, name) for name in kt.__all__)):
        found |= dict(_in_module(room, room.__name__.removeprefix("kerasteach.")))
    return {name: one for name, one in found.items() if name not in NOT_CALLED_BY_USERS and arguments(one)}


def _in_module(module, prefix):
    own = [name for name, one in vars(module).items() if getattr(one, "__module__", "") == module.__name__]
    for name in getattr(module, "__all__", [name for name in own if not name.startswith("_")]):
        one, full = getattr(module, name), f"{prefix}.{name}"
        if inspect.ismodule(one) and full not in NOT_CALLED_BY_USERS:
            yield from _in_module(one, full)
        elif inspect.isroutine(one) or inspect.isclass(one):
            yield full, one
            yield from _methods(one, full) if inspect.isclass(one) else ()


def _methods(kind, prefix):
    """Yield the methods of a class that are this package's own, not those that Keras calls."""
    keras_base = next((base for base in kind.__mro__ if base.__module__.startswith("keras.")), object)
    for name, method in inspect.getmembers(kind, callable):
        own = str(getattr(method, "__module__", "")).startswith("kerasteach")
        if own and not name.startswith("_") and not hasattr(keras_base, name) and name != "function":
            yield f"{prefix}.{name}", method


def arguments(function):
    """Return the names of the arguments of a callable."""
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    found = [one.name for one in inspect.signature(function).parameters.values() if one.kind not in kinds]
    return [name for name in found if name != "self"]


def predictions():
    """Return the outputs of a network with two features, on a grid of two by two points."""
    x_1, x_2 = np.meshgrid([0.0, 1.0], [0.0, 1.0])
    table = pd.DataFrame({"x_1": x_1.ravel(), "x_2": x_2.ravel(), "output": 0, "value": [0.1, 0.9, 0.9, 0.1]})
    return pd.concat([table, table.assign(output=1, value=1 - table["value"])], ignore_index=True)


def rates():
    """Return the table of a learning-rate test."""
    return pd.DataFrame({"step": [0, 1], "learning_rate": [0.1, 1.0], "loss": [2.0, 1.0], "smoothed": [2.0, 1.5]})


MORE = {"callbacks.StopOnError.update": ["loss"]}  # by the name of a metric
CALLABLES = public()
CASES = [
    (name, argument)
    for name in sorted(CALLABLES.keys() & BASE.keys())
    for argument in [*arguments(CALLABLES[name]), *MORE.get(name, ())]
]


def drawn(run, report):
    """Stand for the drawing of a page's figures, which comes when its arguments are checked."""
    raise ReachedError


def fault(name, argument, value):
    """Call a function with one odd argument, and return what is wrong with the error that it raises, if it does."""
    function = CALLABLES[name]
    owner = name.rpartition(".")[0]
    if owner in INSTANCES:
        function = getattr(INSTANCES[owner](), name.rpartition(".")[2])
    try:
        function(**{**BASE[name](), argument: value})
    except ReachedError:
        return None
    except Exception as error:
        documented = type(error) in (ValueError, TypeError) or type(error).__name__ in (inspect.getdoc(function) or "")
        called = "|".join(
            [argument, argument.removesuffix("s"), re.sub("_(train|test)$", "", argument), *CALLED[argument]]
        )
        named = isinstance(error, OSError) or re.search(
            rf"`({called})(?!\w)", str(error)
        )  # a file is named by its path
        if plt.get_fignums():
            return f"an open figure, and {type(error).__name__}: {error}"
        return None if documented and named and "Received" in str(error) else f"{type(error).__name__}: {error}"
    finally:
        plt.close("all")
    return None


def test_every_public_callable_is_covered():
    """A new public function or class has valid arguments above, and nothing is there that is gone."""
    assert sorted(CALLABLES) == sorted(BASE)


def parts():
    """Yield each argument with the odd values, of which `make test` tries few.

    A twelfth of them on one argument of each callable, other values and another place from one callable to the next.
    The rest is slow.
    """
    for number, (callable_, group) in enumerate(groupby(CASES, key=itemgetter(0))):
        named = [argument for _, argument in group]
        for place, argument in enumerate(named):
            few = [odd for turn, odd in enumerate(ODD) if turn % 12 == number % 12 and place == number % len(named)]
            rest = [odd for odd in ODD if odd not in few]
            name = f"{callable_}.{argument}"
            if few:
                yield pytest.param(callable_, argument, few, id=name)
            yield pytest.param(callable_, argument, rest, id=f"{name}-rest", marks=pytest.mark.slow)


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")  # Keras's advice on a single logit
@pytest.mark.filterwarnings("ignore:Animation was deleted")
@pytest.mark.parametrize(("name", "argument", "values"), list(parts()))
def test_an_odd_value_works_or_is_named_by_the_error(name, argument, values, tmp_path, monkeypatch):
    """The error is a ValueError or TypeError, or a documented one, names argument and value, and leaves no figure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kerasteach.report.run_page.pictures", drawn)  # which takes seconds
    faults = {what: fault(name, argument, ODD[what]()) for what in values}
    assert not {what: found for what, found in faults.items() if found}
