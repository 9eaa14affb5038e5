import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from kerasteach.measure import statistics

# In float64 NumPy, independently of Keras.
NUMPY = {
    "norm": lambda g: np.linalg.norm(g.ravel()),
    "mean": np.mean,
    "std": np.std,
    "finite": lambda g: float(np.isfinite(g).all()),
    "mean_abs": lambda g: np.abs(g).mean(),
    "max_abs": lambda g: np.abs(g).max(),
    "zero_fraction": lambda g: (g == 0).mean(),
}
# Below 1e-154 even float64 takes an entry's square for 0.
entries = st.floats(-1e3, 1e3).map(lambda entry: 0.0 if abs(entry) < 1e-150 else entry)
gradients = arrays("float64", array_shapes(max_dims=3, max_side=5), elements=entries)


def rows(names, gradients, weights=None, rate=None, updates=None, jit_compile=None):
    """Measure gradients, in a compiled step if `jit_compile` says how, and make statistics of them."""
    weights = [None] * len(gradients) if weights is None else weights

    def step(*gradients):
        return statistics.measure(names, gradients, weights, rate, updates)

    if jit_compile is not None:
        step = tf.function(step, jit_compile=jit_compile)
    return statistics.finish(names, step(*gradients).numpy())


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", NUMPY)
@given(gradient=gradients)
def test_each_statistic_is_numpys(name, gradient):
    """Each statistic agrees with float64 NumPy."""
    (value,) = statistics.compute([name], gradient).numpy()
    exact = 1e-7 * np.abs(gradient).max() if name == "std" else 1e-9
    assert value == pytest.approx(NUMPY[name](gradient), rel=1e-9, abs=exact)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_bad_entry_is_not_finite(bad):
    """NaN and both infinities show, also beside each other."""
    gradient = np.array([1.0, bad, 2.0, -bad])
    assert statistics.compute(["finite"], gradient).numpy().tolist() == [0.0]


def test_half_precision_does_not_overflow():
    """A float16 gradient of 1000 entries of 60000 has its norm, computed in float32."""
    gradient = np.full(1000, 60000, dtype="float16")
    (norm,) = statistics.compute(["norm"], gradient).numpy()
    assert norm == pytest.approx(np.linalg.norm(gradient.astype("float64")), rel=1e-3)


@pytest.mark.parametrize("size", [1e-30, 1e-24, 1e25, 2e38])
def test_vanished_and_exploded_gradients_have_their_norm(size):
    """Float32 entries whose squares or sums do not fit float32 are measured all the same."""
    gradient = np.full(100, size, dtype="float32")
    norm, mean, finite = statistics.compute(["norm", "mean", "finite"], gradient).numpy()
    assert norm == pytest.approx(np.linalg.norm(gradient.astype("float64")), rel=1e-9)
    assert mean == pytest.approx(float(gradient[0]), rel=1e-9)
    assert finite == 1


def test_equal_entries_have_no_deviation():
    """A gradient of equal entries, or of one, has deviation exactly 0."""
    for gradient in (np.full(7, 0.1, "float32"), np.array([123.4], "float32")):
        assert statistics.compute(["std"], gradient).numpy()[0] < 1e-7 * gradient.max()


def test_a_copy_axis_is_not_reduced():
    """With axes left out, each copy has its own numbers."""
    stack = np.random.default_rng(0).normal(size=(3, 4, 5))
    together = statistics.compute(list(NUMPY), stack, axes=(1, 2)).numpy()
    alone = [statistics.compute(list(NUMPY), one).numpy() for one in stack]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


def test_weight_statistics_follow_the_plain_rule():
    """weight_norm is the weight's, update_ratio the plain rule's change over it; NaN without a weight or a rule."""
    gradient, weight = np.array([3.0, 4.0]), np.array([6.0, 8.0])
    names = ["weight_norm", "update_ratio"]
    values = rows(names, [gradient, gradient, 0 * gradient], [weight, None, None], 0.1)
    np.testing.assert_allclose(values, [[10.0, 0.05], [np.nan, np.nan], [np.nan, np.nan]])
    np.testing.assert_allclose(rows(names, [gradient], [weight]), [[10.0, np.nan]])


def test_with_another_rule_the_change_itself_counts():
    """update_ratio is the given change's norm over the weight's: infinite for a weight of 0, and 0 if that stays 0."""
    gradient, weight, change = np.array([3.0, 4.0]), np.array([6.0, 8.0]), np.array([0.0, 1.0])
    weights, changes = [weight, 0 * weight, 0 * weight, weight], [change, change, 0 * change, None]
    values = rows(["update_ratio"], [gradient] * 4, weights, updates=changes)
    np.testing.assert_allclose(values[:, 0], [0.1, np.inf, 0.0, np.nan])


SHAPES = [(), (7,), (3, 5), (70, 80), (9000,), (2, 3, 1000), (4097, 1)]


def gradients_of(scale):
    """Return float32 gradients, small and large, of entries around a magnitude."""
    random = np.random.default_rng(0)
    return [(scale * random.normal(size=shape)).astype("float32") for shape in SHAPES]


@pytest.mark.sample(1)
@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e-23, 1e-30, 1e20, 1e37])
def test_the_rows_of_a_step_are_numpys(scale, jit_compile):
    """Small and large gradients, vanished and exploded ones, as one table, against float64 NumPy."""
    gradients = gradients_of(scale)
    for gradient, row in zip(gradients, rows(list(NUMPY), gradients, jit_compile=jit_compile), strict=True):
        exact = gradient.astype("float64")
        for name, value in zip(NUMPY, row, strict=True):
            expected = NUMPY[name](exact)
            near = 1e-5 * np.abs(exact).mean() if name == "mean" else 0
            assert value == pytest.approx(expected, rel=1e-5, abs=near), (name, gradient.shape)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_bad_entry_spoils_one_row(bad):
    """`finite` is 0 for the gradient that holds it, large or small, and for no other."""
    for spoiled in (2, 3, 4):
        gradients = gradients_of(1.0)
        gradients[spoiled].flat[5] = bad
        finite = rows(["finite"], gradients)[:, 0]
        assert np.flatnonzero(finite == 0).tolist() == [spoiled]


@pytest.mark.sample(1)
@pytest.mark.parametrize("jit_compile", [None, False, True])
def test_zeros_beside_vanished_gradients_are_told_apart(jit_compile):
    """All zeros, entries whose squares float32 takes for 0, and ordinary ones."""
    entries = (0.0, 1e-30, 0.0, 0.5)
    values = rows(list(NUMPY), [np.full((80, 80), entry, "float32") for entry in entries], jit_compile=jit_compile)
    zeros = [row[-1] for row in values]
    assert zeros == [1.0, 0.0, 1.0, 0.0]
    np.testing.assert_allclose([row[0] for row in values], [80 * entry for entry in entries], rtol=1e-6)
    only_zeros = rows(list(NUMPY), [np.zeros((80, 80), "float32")] * 2, jit_compile=jit_compile)
    assert only_zeros.tolist() == [[0, 0, 0, 1, 0, 0, 1]] * 2


def test_what_is_not_a_number_is_not_zero():
    """Zeros are counted among what has diverged, too, in small gradients and in large ones."""
    for size in (10, 10_000):
        gradient = np.zeros(size, "float32")
        gradient[: size // 2] = np.nan
        assert rows(["zero_fraction"], [gradient]).tolist() == [[0.5]]


def test_a_large_gradient_of_zeros_has_norm_zero():
    """The sum of its squares is that of vanished entries too, and they differ."""
    values = rows(["norm", "std", "zero_fraction"], [np.zeros((80, 80), "float32")])
    assert values.tolist() == [[0.0, 0.0, 1.0]]


def test_a_batch_of_unknown_size_is_measured():
    """What is known only when the step runs counts too."""

    @tf.function(input_signature=[tf.TensorSpec((None, 3), "float32")])
    def function(gradient):
        return statistics.measure(["mean", "mean_abs"], [gradient, tf.ones(2)], [None, None])

    measured = function(np.full((4, 3), -2.0, "float32"))
    np.testing.assert_allclose(statistics.finish(["mean", "mean_abs"], measured), [[-2, 2], [1, 1]])


@pytest.mark.slow
def test_long_sums_keep_their_digits():
    """Ten million equal entries, which added up one after the other in float32 would be off by percents."""
    for jit_compile in (False, True):
        equal = np.full((2500, 4000), 0.1, "float32")
        mean, norm = rows(["mean", "norm"], [equal], jit_compile=jit_compile)[0]
        assert mean == pytest.approx(0.1, rel=1e-5)
        assert norm == pytest.approx(0.1 * 1e7**0.5, rel=1e-4)


@pytest.mark.sample(1)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_weights_of_large_layers_are_measured_as_variables(jit_compile):
    """Weights come as Keras variables, large ones too."""
    weights = [keras.Variable(np.full(shape, 0.5)) for shape in ((3,), (90, 90))]
    names = ["weight_norm", "update_ratio"]
    values = rows(names, [tf.ones(weight.shape) for weight in weights], weights, 0.1, jit_compile=jit_compile)
    np.testing.assert_allclose(values, [[0.5 * 3**0.5, 0.2], [45.0, 0.2]], rtol=1e-6)


@pytest.mark.parametrize("size", [3e-224, 1e-162, 1e160, 1e300])
def test_float64_gradients_of_any_size_have_their_norm(size):
    """Entries whose squares not even float64 holds are scaled first, in a tensor of float64."""
    gradients = [np.array([3 * size, -4 * size]), np.full((80, 80), size)]
    values = rows(["norm", "std", "zero_fraction"], gradients, jit_compile=False)
    np.testing.assert_allclose(values[:, 0], [5 * size, 80 * size], rtol=1e-12)
    assert values[0, 1] == pytest.approx(3.5 * size, rel=1e-12)
    assert values[:, 2].tolist() == [0, 0]
    assert statistics.compute(["norm"], gradients[0]).numpy()[0] == pytest.approx(5 * size, rel=1e-12)


@pytest.mark.sample(1)
@pytest.mark.parametrize("jit_compile", [None, False, True])
@pytest.mark.parametrize("size", [4, 9000])
def test_the_largest_of_what_is_no_number_is_none(size, jit_compile):
    """`max_abs` is NaN as NumPy's where an entry is NaN, and infinite where one is infinite."""
    gradients = [np.full(size, 0.5, "float32") for _ in range(3)]
    gradients[0][1], gradients[1][1] = np.nan, -np.inf
    gradients[2][:] = np.nan
    values = rows(["max_abs"], gradients, jit_compile=jit_compile)
    np.testing.assert_array_equal(values[:, 0], [np.nan, np.inf, np.nan])
    if jit_compile is None:
        assert np.isnan(statistics.compute(["max_abs"], gradients[0]).numpy()).all()


@pytest.mark.sample(2)
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("shape", [(300_001,), (1, 300_001), (2**17 + 1,), (2**18,), (3, 2**17, 1)])
def test_a_long_row_keeps_its_digits(shape, jit_compile):
    """A vector of more than 2^17 entries is not added up one after the other; its zeros are counted."""
    gradient = np.full(shape, 0.1, "float32")
    gradient.flat[[0, -1]] = 0
    size = gradient.size
    mean, mean_abs, zeros = rows(["mean", "mean_abs", "zero_fraction"], [gradient], jit_compile=jit_compile)[0]
    assert mean == pytest.approx(0.1 * (size - 2) / size, rel=1e-5)
    assert mean_abs == pytest.approx(0.1 * (size - 2) / size, rel=1e-5)
    assert zeros == pytest.approx(2 / size, rel=1e-5)


def test_one_zero_in_many_is_counted():
    """Among more entries than float32 can count, 2^24, in rows and in a vector."""
    for shape in ((4100, 4100), (2**24 + 1,)):
        gradient = np.ones(shape, "float32")
        gradient.flat[7] = 0
        assert rows(["zero_fraction"], [gradient])[0, 0] == pytest.approx(1 / gradient.size, rel=1e-6)


@pytest.mark.sample(1)
@pytest.mark.parametrize("bad", [None, 1e25, np.nan])
def test_a_gradient_larger_than_the_cache_is_numpys(bad):
    """Of 2^21 + 3 entries each statistic is NumPy's; also where one of them is huge or NaN."""
    gradient = np.random.default_rng(0).normal(0.1, size=2**21 + 3).astype("float32")
    gradient[:5] = 0
    gradient[2**20] = gradient[2**20] if bad is None else bad
    (values,) = rows(list(NUMPY), [gradient.reshape(-1, 1)], jit_compile=False)
    expected = [function(gradient.astype("float64")) for function in NUMPY.values()]
    np.testing.assert_allclose(values, expected, rtol=1e-6)


@pytest.mark.sample(1)
@pytest.mark.parametrize("jit_compile", [None, False, True])
def test_small_gradients_of_several_parts_are_each_their_own(jit_compile):
    """Of 60 small gradients of other sizes, 64 entries and one among them, each has NumPy's numbers in its row."""
    random = np.random.default_rng(0)
    sizes = [1, 64, 63, 4096, 65, *random.integers(1, 4096, 55)]
    gradients = [random.normal(size=size).astype("float32") for size in sizes]
    values = rows(list(NUMPY), gradients, jit_compile=jit_compile)
    expected = [[function(one.astype("float64")) for function in NUMPY.values()] for one in gradients]
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12)


def test_the_stated_limits_hold():
    """Subnormal entries are 0 to TensorFlow; `std` far from 0 has the digits that its docstring promises."""
    norm, zeros = rows(["norm", "zero_fraction"], [np.full(10, 1e-40, "float32")])[0]
    assert (norm, zeros) == (0, 1)
    random = np.random.default_rng(0)
    for ratio in (10, 100):
        gradient = (1 + random.normal(size=(100, 100)) / ratio).astype("float32")
        std = rows(["std"], [gradient], jit_compile=False)[0, 0]
        assert std == pytest.approx(gradient.std(dtype="float64"), rel=1e-6 * ratio**2)


def test_names_come_in_the_tables_order():
    """Whatever the order asked for, and with `finite` always."""
    assert statistics.chosen(["max_abs", "norm"]).names == ("norm", "finite", "max_abs")
    assert statistics.chosen("all").names == statistics.ALL
    assert statistics.chosen(None).names == ("norm", "mean", "std", "finite")


@pytest.mark.parametrize("asked", [["norm", "kurtosis"], "kurtosis", []])
def test_an_unknown_statistic_lists_the_names(asked):
    """Unknown names, and none, are errors."""
    with pytest.raises(ValueError, match='`statistics` must be "all" or names out of norm, mean'):
        statistics.chosen(asked)
