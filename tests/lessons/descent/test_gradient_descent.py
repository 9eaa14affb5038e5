import math

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import ops

import kerasteach as kt
from kerasteach import keras_internals
from kerasteach.lessons.descent.verdicts import verdict


def parabola(w):
    """Return `w^2`, of which a step makes `(1 - 2 eta) w`."""
    return w**2


def ends(path):
    """Return the last row of each path."""
    return path.groupby(["optimizer", "learning_rate"], sort=False).tail(1)


@pytest.mark.parametrize(
    ("learning_rate", "printed"),
    [
        (1.5, [0.0, 1.105263, 1.599723, 1.820929, 1.919889]),
        (0.4, [0.0, 0.294737, 0.546039, 0.760307, 0.942998]),
    ],
)
def test_the_courses_numbers_come_out(learning_rate, printed):
    """J(w) = 1/(2m) sum (z - w x)^2 on z = 2x: the printed w needs the rate 1.5, where the slide says 0.4."""
    x = np.linspace(-1, 1, 20)
    path = kt.gradient_descent(lambda w: ops.sum((2 * x - w * x) ** 2) / (2 * 20), 0.0, learning_rate, steps=4).frame
    np.testing.assert_allclose(path["w"], printed, atol=5e-7)
    np.testing.assert_allclose(path["value"], [np.mean((2 * x - w * x) ** 2) / 2 for w in path["w"]], rtol=1e-12)
    if learning_rate == 1.5:
        np.testing.assert_allclose(path["w"], [0.0, 1.105, 1.600, 1.821, 1.920], atol=5e-4)


def test_kerass_mse_has_no_half():
    """The same path comes with Keras's own mean squared error at half the learning rate."""
    x = np.linspace(-1, 1, 20)
    path = kt.gradient_descent(lambda w: keras.losses.mean_squared_error(2 * x, w * x), 0.0, 0.75, steps=4).frame
    np.testing.assert_allclose(path["w"], [0.0, 1.105263, 1.599723, 1.820929, 1.919889], atol=5e-7)


def test_the_table_is_tidy():
    """The columns, the rows from the start on, and their types."""
    path = kt.gradient_descent("rosenbrock", learning_rate=[0.001, 0.0005], steps=3).frame
    assert list(path) == ["optimizer", "learning_rate", "step", "x", "y", "value", "gradient_norm", "verdict"]
    assert path["step"].tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert path["learning_rate"].tolist() == [0.001] * 4 + [0.0005] * 4
    assert path.loc[0, ["x", "y"]].tolist() == [-1.2, 1.0]
    assert set(path["optimizer"]) == {"plain_sgd"}
    assert path.dtypes[["step", "x", "value", "gradient_norm"]].tolist() == ["int64", *["float64"] * 3]


def test_every_number_is_the_rules():
    """Rosenbrock's path, values and gradient norms are those of float64 NumPy with the gradient by hand."""
    path = kt.gradient_descent("rosenbrock", (-0.5, 0.7), learning_rate=0.0017, steps=40).frame
    w = np.array([-0.5, 0.7])
    for _, row in path.iterrows():
        x, y = w
        gradient = np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])
        np.testing.assert_allclose(row[["x", "y"]].astype(float), w, rtol=1e-9)
        np.testing.assert_allclose(row["value"], (1 - x) ** 2 + 100 * (y - x**2) ** 2, rtol=1e-9)
        np.testing.assert_allclose(row["gradient_norm"], np.linalg.norm(gradient), rtol=1e-9)
        w = w - 0.0017 * gradient


def test_the_learning_rate_is_not_rounded_to_float32():
    """A thousand steps on a parabola end at (1 - 2 eta)^1000 to 12 digits: float32's 0.001 would be off by 1e-8."""
    path = kt.gradient_descent(parabola, 1.0, learning_rate=0.001, steps=1000).frame
    np.testing.assert_allclose(path["w"].iloc[-1], (1 - 2 * 0.001) ** 1000, rtol=1e-12)


@pytest.mark.sample(1)
@pytest.mark.parametrize("by", [keras.optimizers.Adam, keras.optimizers.RMSprop, keras.optimizers.Adagrad])
def test_the_optimizer_is_kerass_own(by):
    """The path is that of Keras's optimizer, applied by hand to a variable."""
    optimizer = by(learning_rate=0.25)  # of which float32 holds every digit
    path = kt.gradient_descent(lambda w: ops.sum(ops.cos(w) * w), [0.3, -2.0], steps=6, optimizer=optimizer).frame
    twin, variable = by(learning_rate=0.25), keras.Variable([0.3, -2.0], dtype="float64")
    for step in range(7):
        np.testing.assert_allclose(path.loc[step, ["w_0", "w_1"]].astype(float), variable, rtol=1e-12)
        w = variable.numpy()
        twin.apply([tf.constant(np.cos(w) - w * np.sin(w))], [variable])
    assert int(optimizer.iterations) == 0


def test_momentum_is_its_formula():
    """Momentum: v <- mu v - eta g, w <- w + v, in NumPy; the table has the name that the dictionary gives."""
    heavy = keras.optimizers.SGD(momentum=0.875)  # of which float32 holds every digit
    path = kt.gradient_descent(parabola, 3.0, learning_rate=0.05, steps=30, optimizer={"heavy": heavy}).frame
    w, v = 3.0, 0.0
    for reached in path["w"]:
        np.testing.assert_allclose(reached, w, rtol=1e-12)
        v = 0.875 * v - 0.05 * 2 * w
        w += v
    assert set(path["optimizer"]) == {"heavy"}


def test_a_loss_scale_changes_no_step():
    """As in `fit`, an optimizer that divides gradients by its scale is handed scaled ones."""
    scaled = kt.gradient_descent(
        parabola, 3.0, optimizer=keras.optimizers.SGD(0.25, loss_scale_factor=1024), steps=3
    ).frame
    np.testing.assert_array_equal(scaled["w"], [3.0, 1.5, 0.75, 0.375])


def test_each_path_starts_afresh():
    """A path is, but for rounding, the same alone and among others: no optimizer remembers the one before."""
    several = kt.gradient_descent("himmelblau", learning_rate=[0.01, 0.005], steps=8, optimizer=["adam", "sgd"]).frame
    alone = kt.gradient_descent("himmelblau", learning_rate=0.005, steps=8, optimizer="adam").frame
    chosen = several.query("optimizer == 'adam' and learning_rate == 0.005").reset_index(drop=True)
    pd.testing.assert_frame_equal(chosen, alone, rtol=1e-9)
    assert len(several) == 4 * 9


def test_an_optimizer_given_ready_keeps_its_learning_rate():
    """Without `learning_rate` it is the optimizer's own, as it was written; a name has 0.1."""
    ready = [keras.optimizers.SGD(0.3), keras.optimizers.Adam(0.2), "rmsprop"]
    path = kt.gradient_descent(parabola, 1.0, steps=1, optimizer=ready).frame
    found = dict(path[["optimizer", "learning_rate"]].drop_duplicates().itertuples(index=False))
    assert found == {"sgd": 0.3, "adam": 0.2, "rmsprop": 0.1}


def test_a_schedule_is_followed():
    """Halved at each step: w is multiplied by 1 - 2 eta with eta = 1/4, 1/8, 1/16; the table has the first."""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.25, decay_steps=1, decay_rate=0.5)
    path = kt.gradient_descent(parabola, 1.0, steps=3, optimizer=keras.optimizers.SGD(schedule)).frame
    np.testing.assert_allclose(path["w"], np.cumprod([1, 1 / 2, 3 / 4, 7 / 8]), rtol=1e-7)
    assert set(path["learning_rate"]) == {0.25}


def unpacked(w):
    """Take one vector apart, as TensorFlow's graphs do not allow."""
    x, y = w
    return x**2 + 3 * y**2


def branching(x, y):
    """Use Python's `if` on a value."""
    if x > 0:
        return x**2 + 3 * y**2
    return y


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("f", "start", "names"),
    [
        (lambda a, b: a**2 + 3 * b**2, (2.0, 1.0), ["a", "b"]),
        (lambda w: w[0] ** 2 + 3 * w[1] ** 2, [2.0, 1.0], ["w_0", "w_1"]),
        (lambda *w: w[0] ** 2 + 3 * w[1] ** 2, np.array([2.0, 1.0]), ["w_0", "w_1"]),
        (lambda a, b, scale=3.0: a**2 + scale * b**2, (2, 1), ["a", "b"]),
        (unpacked, tf.constant([2.0, 1.0]), ["w_0", "w_1"]),
        (branching, (2.0, 1.0), ["x", "y"]),
        (tf.function(lambda p, q: p**2 + 3 * q**2), (2.0, 1.0), ["p", "q"]),
        (lambda w: tf.reduce_sum(w**2 * tf.constant([1.0, 3.0])), (2.0, 1.0), ["w_0", "w_1"]),  # float32
        (lambda w: ops.sum(w**2 * ops.array([1.0, 3.0])), (2.0, 1.0), ["w_0", "w_1"]),
    ],
)
def test_a_function_of_ones_own_works_as_it_is_written(f, start, names):
    """Arguments, one vector, any number of them, defaults, unpacking, branches: the same path, well named."""
    path = kt.gradient_descent(f, start, learning_rate=0.125, steps=3).frame
    assert list(path)[3:-3] == names
    k = np.arange(4)
    np.testing.assert_allclose(path[names], np.stack([2 * 0.75**k, 0.25**k], axis=1), rtol=1e-6)


def test_a_number_gives_a_number():
    """With `start=3.0` a function of one number gets a scalar, and its argument names the column."""
    path = kt.gradient_descent(lambda height: ops.abs(height), 3.0, learning_rate=0.5, steps=2).frame
    assert path["height"].tolist() == [3.0, 2.5, 2.0]


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("until", "last"),
    [
        ({"gradient_norm": 0.5}, 4),  # 2 w of 4, 2, 1, 0.5, 0.25: strictly below
        ({"value": 0.1}, 3),  # w^2 of 4, 1, 1/4, 1/16
        ({"value": 0.1, "gradient_norm": 0.2}, 5),  # both, and the second comes later
        ({"value": -1.0}, 6),  # never
    ],
)
def test_a_path_stops_where_it_is_told(until, last):
    """Strictly below the threshold, of which all must be met; a path that met them has converged."""
    path = kt.gradient_descent(parabola, 2.0, learning_rate=0.25, steps=6, until=until).frame
    assert path["step"].tolist() == list(range(last + 1))
    assert set(path["verdict"]) == {"converged" if last < 6 else "still going"}


def truth(learning_rate, steps):
    """Return what becomes of w <- (1 - 2 eta) w, from the factor alone."""
    factor = abs(1 - 2 * learning_rate)
    if factor > 1:
        return "diverged"
    if factor ** (steps - max(1, steps // 10) + 1) <= 1e-4:
        return "converged"
    return "still going" if learning_rate < 0.5 else "oscillating"


@pytest.mark.sample(1)
@pytest.mark.parametrize("steps", [20, 50, 400])
def test_the_verdict_on_a_parabola_is_the_truth(steps):
    """Below 1/2 it slides, up to 1 it jumps to and fro, beyond it flies off; close enough, it has converged."""
    rates = [1e-4, 0.003, 0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999, 1.0, 1.001, 1.01, 1.1, 2.0, 50.0]
    path = kt.gradient_descent(parabola, 3.0, learning_rate=rates, steps=steps).frame
    found = path.groupby("learning_rate")["verdict"].first().to_dict()
    assert found == {rate: truth(rate, steps) for rate in rates}


@pytest.mark.sample(1)
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("offset", [0.0, -1.0])
def test_the_verdict_does_not_hang_on_units(scale, offset):
    """The same function in other units, with learning rates to match, has the same verdicts."""
    rates = [0.003 / scale, 0.3 / scale, 1.0 / scale, 1.01 / scale]
    path = kt.gradient_descent(lambda w: scale * (w**2 + offset), 3.0, learning_rate=rates, steps=50).frame
    verdicts = path.groupby("learning_rate", sort=False)["verdict"].first().tolist()
    assert verdicts == ["still going", "converged", "oscillating", "diverged"]


def test_zigzag_across_a_valley_is_oscillating():
    """The steep factor of the elongated bowl is -0.99 at 0.199: it swings, although the value falls at each step."""
    path = kt.gradient_descent("elongated_bowl", learning_rate=0.199, steps=50).frame
    assert (np.diff(path["value"]) < 0).all()
    assert set(path["verdict"]) == {"oscillating"}


def test_a_cycle_of_four_is_oscillating():
    """On x^4/4 - x^2/2, w <- (1 + eta) w - eta w^3, at eta = 1.25 a cycle between two and more heights, for ever."""
    path = kt.gradient_descent(lambda x: x**4 / 4 - x**2 / 2, 0.3, learning_rate=1.25, steps=200).frame
    assert path["value"].tail(50).std() > 0.01
    assert set(path["verdict"]) == {"oscillating"}


def test_swings_of_many_steps_are_oscillating():
    """Momentum of 0.999 on a parabola swings in cycles of 14 steps and more, in which few steps turn back."""
    heavy = keras.optimizers.SGD(0.1, momentum=0.999)
    path = kt.gradient_descent(parabola, 1.0, steps=100, optimizer=heavy).frame
    turns = np.diff(np.sign(np.diff(path["w"]))) != 0
    assert turns.mean() < 0.2
    assert set(path["verdict"]) == {"oscillating"}


@pytest.mark.slow
def test_the_ridge_of_a_saddle_is_the_way_into_it():
    """Exactly on the ridge the gradient vanishes in the saddle point; beside it, the descent goes on without end."""
    on = kt.gradient_descent("saddle", (1.0, 0.0), learning_rate=0.1, steps=100).frame
    beside = kt.gradient_descent("saddle", (1.0, 1e-6), learning_rate=0.1, steps=100).frame
    assert set(on["verdict"]) == {"converged"}
    assert set(beside["verdict"]) == {"still going"}
    np.testing.assert_allclose(beside["y"], 1e-6 * 1.2 ** np.arange(101), rtol=1e-12)


def test_a_path_that_overflows_has_a_verdict():
    """It ends with its first row that is not finite; nothing is raised, and no NaN row follows."""
    path = kt.gradient_descent("rosenbrock", learning_rate=[0.001, 1.0], steps=60).frame
    gone = path.query("learning_rate == 1")
    assert set(gone["verdict"]) == {"diverged"}
    finite = np.isfinite(gone[["x", "y", "value", "gradient_norm"]]).all(axis=1)
    assert finite.iloc[:-1].all()
    assert not finite.iloc[-1]
    assert len(path.query("learning_rate == 0.001")) == 61


def test_a_start_in_the_minimum_has_converged():
    """There is nowhere to go: the gradient is 0."""
    path = kt.gradient_descent(parabola, 0.0, learning_rate=[0.1, 2.0], steps=5).frame
    assert set(path["verdict"]) == {"converged"}
    assert (path["w"] == 0).all()


def test_a_norm_is_exact_where_its_square_is_not():
    """Gradients of 1e-200 and 1e200 have norms: their squares would be 0 and infinite."""
    tiny = kt.gradient_descent(lambda x, y: 1e-200 * (3 * x + 4 * y), (1.0, 1.0), 1.0, steps=1).frame
    huge = kt.gradient_descent(lambda x, y: 1e200 * (3 * x + 4 * y), (1.0, 1.0), 1.0, steps=1).frame
    np.testing.assert_allclose([tiny["gradient_norm"][0], huge["gradient_norm"][0]], [5e-200, 5e200], rtol=1e-12)


def test_thousands_of_steps_are_one_loop():
    """20,000 steps come from a function that is traced once, not called at each step."""
    calls = []

    def counted(w):
        calls.append(w)
        return w**2

    path = kt.gradient_descent(counted, 1.0, learning_rate=[1e-5, 1e-4], steps=20_000).frame
    assert len(path) == 40_002
    assert len(calls) <= 2


def test_the_verdict_needs_no_descent():
    """The rule is pure: rows in, a word out; the first step that rises is one too many."""
    up = np.array([1.0, 2.0])
    assert verdict(up[:, np.newaxis], up, up) == "diverged"
    assert verdict(up[:, np.newaxis], np.array([1.0, np.nan]), up) == "diverged"
    assert verdict(up[:, np.newaxis], up, up, met=True) == "converged"
    assert verdict(up[:1, np.newaxis], up[:1], up[:1]) == "still going"


@pytest.mark.parametrize(
    ("late", "word"),
    [
        ([1.0e-4] * 5, "converged"),  # at most 1e-4 of the start, over the last tenth of 50 steps
        ([1.1e-4, 1e-6, 1e-6, 1e-6, 1e-6], "still going"),  # not in the first of these
        ([1e-6, 1e-6, 1e-6, 1e-6, 1.1e-4], "still going"),  # nor any more in the last
    ],
)
def test_the_gradient_has_to_stay_small(late, word):
    """Only the last tenth of the steps counts, and all of it; the threshold is the one that is stated."""
    norms = np.array([2.0] + [1.0] * 45 + [2 * share for share in late])
    falling = np.linspace(1.0, 0.5, 51)
    assert verdict(falling[:, np.newaxis], falling, norms) == word


def partly_numpy(w):
    """Leave TensorFlow for a part: an eager tape would miss it, and give a wrong gradient without a word."""
    return w**2 + np.sin(w)


def forgot_to_return(w):
    """Compute a value for nobody."""
    w**2


@pytest.mark.parametrize(
    ("f", "start", "message"),
    [
        (
            lambda w: ops.sin(w),
            [1.0, 2.0],
            r"must return one number; keras.ops.sum.*shape \(2,\) at start=\[1.0, 2.0\]",
        ),
        (parabola, [1.0], r"has `start=1.0`, without brackets.*shape \(1,\)"),
        (lambda w: [w, w], 1.0, "must return one number.*returns list"),
        (forgot_to_return, 1.0, "returns None; is its `return` missing"),
        (lambda w: ops.cast(w, "int32"), 1.0, "must return a real number.*int32"),
        (lambda w: ops.cast(w, "complex64"), 1.0, "must return a real number.*complex64"),
        (lambda w: 3.0, 1.0, "`f` must depend on its arguments"),
        (lambda w: ops.stop_gradient(w), 1.0, "`f` must depend on its arguments"),
        (lambda w: np.sin(w), 1.0, r"keras.ops or TensorFlow throughout: NumPy.*NotImplementedError"),
        (partly_numpy, 1.0, r"keras.ops or TensorFlow throughout: NumPy"),
        (lambda w: math.exp(w), 1.0, r"keras.ops or TensorFlow throughout"),
        (lambda w: float(w) ** 2, 1.0, r"keras.ops or TensorFlow throughout"),
        (lambda w: unknown * w, 1.0, r"`f` fails at `start`: NameError: name 'unknown' is not defined"),  # noqa: F821
        (lambda w: w[0] + w[2], [1.0, 2.0], r"`f` fails at `start`.*slice index 2.*Received: start=\[1.0, 2.0\]"),
        (lambda x, y: x * y, [1.0], r"a number for each argument of `f`: x, y. Received: start=\[1.0\]"),
        (lambda x, y: x * y, (1.0, 2.0, 3.0), r"argument of `f`: x, y"),
        (lambda x, y: x * y, 1.0, r"argument of `f`: x, y. Received: start=1.0"),
        ("himmelblau", 1.0, r"a number for each coordinate of himmelblau, as in \(0.0, 0.0\). Received: start=1.0"),
        (parabola, None, "`start` must be a point"),
        (parabola, "left", "`start` must be a finite number or several. Received: start='left'"),
        (parabola, math.nan, "`start` must be a finite number"),
        (parabola, [[1.0]], "`start` must be a finite number"),
        (parabola, [], "`start` must be a finite number"),
        (lambda w: ops.log(w), -1.0, "where f and its gradient are finite. Received: start=-1.0, where f is nan"),
        (lambda w: ops.sqrt(w), 0.0, r"f is 0 and its gradient \[inf\]"),
        (parabola, 1e200, "where f is inf"),
        (lambda step: step**2, 1.0, r"as the table's own columns are. Received: \['step'\]"),
        ("parabole", None, "Did you mean 'parabola'"),
    ],
)
def test_what_cannot_be_descended_is_refused(f, start, message):
    """One clear ValueError each, which is not the end of a traceback through TensorFlow."""
    with pytest.raises(ValueError, match=message) as error:
        kt.gradient_descent(f, start)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        *[
            (
                {"learning_rate": rate},
                ValueError,
                "`learning_rate` must be (a finite number above 0, or several|finite)",
            )
            for rate in (-0.1, 0.0, math.nan, math.inf, [0.1, -0.1], 10**400)
        ],
        *[
            ({"learning_rate": rate}, TypeError, "`learning_rate` must be a (number|list of finite numbers above 0)")
            for rate in ("0.1", True, [[0.1]])
        ],
        ({"learning_rate": []}, ValueError, "one or more different numbers"),
        ({"learning_rate": [0.1, 0.1]}, ValueError, "one or more different numbers"),
        ({"steps": 0}, ValueError, "`steps` must be a whole number from 1. Received: steps=0"),
        ({"steps": 2.5}, ValueError, "`steps` must be a whole number"),
        ({"steps": 2**31}, ValueError, "`steps` must ask for a table of at most"),
        ({"until": 0.1}, TypeError, '`until` must be a dictionary.*"gradient_norm", "value" or both'),
        ({"until": {"loss": 0.1}}, ValueError, "`until` must be a dictionary"),
        ({"until": {}}, ValueError, "`until` must be a dictionary"),
        ({"until": {"value": math.nan}}, ValueError, r"`until\['value'\]` must be finite"),
        ({"until": {"value": "low"}}, TypeError, r"`until\['value'\]` must be a number"),
        ({"until": {"gradient_norm": 0.0}}, ValueError, "never below 0"),
        ({"optimizer": "adamm"}, ValueError, "`optimizer` must be a name that Keras knows.*'adamm'"),
        ({"optimizer": keras.optimizers.Adam}, ValueError, "`optimizer` must be a name that Keras knows"),
        ({"optimizer": []}, ValueError, "`optimizer` must be one or more"),
        ({"optimizer": ["sgd", "sgd"]}, ValueError, "each of another name; a dictionary names them"),
        ({"optimizer": keras.optimizers.SGD(lambda: 0.1)}, ValueError, "registered with Keras"),
        (
            {"optimizer": keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())},
            ValueError,
            "a learning rate of its own: give the one inside",
        ),
    ],
)
def test_what_is_no_descent_is_refused(arguments, error, message):
    """Each error names the argument and what was received."""
    with pytest.raises(error, match=message):
        kt.gradient_descent("parabola", **arguments)


def test_what_is_no_function_is_a_type_error():
    """A number is none."""
    with pytest.raises(TypeError, match=r"`f` must be one of .*, or a function. Received: f=3"):
        kt.gradient_descent(3, 1.0)


def test_a_landscape_is_the_function_on_a_grid():
    """Every point of the grid has the value that the function has there, whatever the function is made of."""
    table = kt.lessons.landscape(branching, [(-1, 1), (0, 2)], points=40)
    x, y = table["x"], table["y"]
    assert len(table) == 1600
    np.testing.assert_allclose(table["value"], np.where(x > 0, x**2 + 3 * y**2, y))
    assert (x.min(), x.max(), y.min(), y.max()) == (-1, 1, 0, 2)


@pytest.mark.slow
def test_a_landscape_of_a_vector_is_named_as_its_descent():
    """One range in a list is a vector of one number; a table says itself."""
    assert list(kt.lessons.landscape(lambda w: ops.sum(w**2), [(-1, 1)])) == ["w_0", "value"]
    assert list(kt.lessons.landscape(lambda height: height**2, (-1, 1))) == ["height", "value"]
    path = kt.gradient_descent(unpacked, (2.0, 1.0), steps=3).frame
    assert list(kt.lessons.landscape(unpacked, path)) == ["w_0", "w_1", "value"]


def test_a_landscape_covers_a_path_but_not_where_it_flies_to():
    """Points above the start are left out; a function of the gallery keeps its own ranges too."""
    path = kt.gradient_descent(parabola, 2.0, learning_rate=[0.1, 1.5], steps=20).frame
    table = kt.lessons.landscape(parabola, path)
    assert table["w"].min() < 0 < 2 < table["w"].max() < 3
    wide = kt.lessons.landscape("parabola", kt.gradient_descent("parabola", 5.0, steps=3).frame)
    assert wide["x"].min() == -3
    assert 5 < wide["x"].max() < 6


@pytest.mark.parametrize(
    ("around", "message"),
    [
        (None, "`around` must be the table of a descent, a range"),
        ((2, 1), "`around` must be"),
        ([(0, 1)] * 3, "`around` must be"),
        (pd.DataFrame({"x": [1.0]}), "`around` lacks the columns step, value"),
        (pd.DataFrame({"step": [0], "value": [1.0]}), "`around` must be the table of a descent with one or two"),
        (pd.DataFrame({"step": [1], "x": [1.0], "value": [1.0]}), "that begins at step 0"),
        ((-1e308, 1e308), "`around` must be"),
    ],
)
def test_a_landscape_needs_ranges(around, message):
    """The error says what would do."""
    with pytest.raises(ValueError, match=message):
        kt.lessons.landscape(parabola, around)


def test_a_landscape_needs_points():
    """A grid has two a coordinate at least."""
    with pytest.raises(ValueError, match=r"`points` must be a whole number from 2\. Received: points=1"):
        kt.lessons.landscape(parabola, (0, 1), points=1)


def test_a_landscape_too_large_for_memory_is_refused():
    """What the grid would take is computed before it is made."""
    with pytest.raises(ValueError, match=r"`points` must ask for a table of at most 268,435,456 numbers"):
        kt.lessons.landscape("himmelblau", points=2**31)


def test_random_numbers_without_a_seed_are_named():
    """Keras's global seed does not reach a compiled function; a generator of one's own does."""
    with pytest.raises(ValueError, match=r"`f` fails at `start`.*SeedGenerator"):
        kt.gradient_descent(lambda w: w**2 + keras.random.normal(()), 1.0)
    generator = keras.random.SeedGenerator(0)
    path = kt.gradient_descent(lambda w: w**2 + keras.random.normal((), seed=generator), 1.0, steps=3).frame
    assert (path["value"] - path["w"] ** 2).nunique() == 4


@pytest.mark.parametrize("drawn", [0, 1], ids=["as the first random number", "after others"])
def test_keras_draws_on_after_a_function_of_random_numbers(drawn):
    """Such a function is refused whatever was drawn before, and Keras's own random numbers go on."""
    with keras_internals.without_seed_generator():
        before = [float(keras.random.normal(())) for _ in range(drawn)]
        with pytest.raises(ValueError, match="SeedGenerator"):
            kt.gradient_descent(lambda w: w**2 + keras.random.normal(()), 1.0)
        after = [float(keras.random.normal(())) for _ in range(3)]
    assert len({*before, *after}) == drawn + 3


@pytest.mark.slow
def test_a_long_path_is_as_one_written_out():
    """Its rows come in several calls of the compiled loop, which join without a seam."""
    path = kt.gradient_descent("parabola", 1.0, learning_rate=1e-4, steps=40_000).frame
    np.testing.assert_allclose(path["x"], 0.9998 ** np.arange(40_001), rtol=1e-9)
    assert path["step"].tolist() == list(range(40_001))


def test_steps_that_are_not_taken_take_no_memory():
    """A path that ends at its start has one row, however many steps were allowed: room for these would be 10 GiB."""
    assert len(kt.gradient_descent("parabola", 1.0, steps=80_000_000, until={"value": 2.0}).frame) == 1
