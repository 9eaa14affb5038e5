import numpy as np
import pytest
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
# TensorFlow takes subnormal numbers, which are below 1e-307, for 0.
entries = st.floats(-1e3, 1e3, allow_subnormal=False)
gradients = arrays("float64", array_shapes(max_dims=3, max_side=5), elements=entries)


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
    """weight_norm is the weight's, update_ratio the plain rule's change over it."""
    gradient, weight = np.array([3.0, 4.0]), np.array([6.0, 8.0])
    values = statistics.compute(["weight_norm", "update_ratio"], gradient, weight=weight, learning_rate=0.1)
    assert values.numpy().tolist() == pytest.approx([10.0, 0.05])


def test_names_come_in_the_tables_order():
    """Whatever the order asked for, and with `finite` always."""
    assert statistics.chosen(["max_abs", "norm"]) == ("norm", "finite", "max_abs")
    assert statistics.chosen("all") == statistics.ALL
    assert statistics.chosen(None) == ("norm", "mean", "std", "finite")


@pytest.mark.parametrize("asked", [["norm", "kurtosis"], "kurtosis", []])
def test_an_unknown_statistic_lists_the_names(asked):
    """Unknown names, and none, are errors."""
    with pytest.raises(ValueError, match='`statistics` must be "all" or names out of norm, mean'):
        statistics.chosen(asked)
