import numpy as np
import pytest
import tensorflow as tf

import kerasteach as kt


def test_it_is_half_the_sum_of_squares_averaged_over_the_batch():
    """The value is that of float64 NumPy."""
    random = np.random.default_rng(0)
    t, a = random.normal(size=(7, 3)), random.normal(size=(7, 3))
    expected = np.mean(0.5 * ((t - a) ** 2).sum(axis=-1))
    assert float(kt.losses.HalfSquaredError(dtype="float64")(t, a)) == pytest.approx(expected, rel=1e-12)


def test_its_derivative_has_no_factor():
    """For one example, dE/da is a - t."""
    a = tf.constant([[0.7, -0.2]])
    with tf.GradientTape() as tape:
        tape.watch(a)
        error = kt.losses.HalfSquaredError()([[0.25, 0.5]], a)
    np.testing.assert_allclose(tape.gradient(error, a), [[0.45, -0.7]], rtol=1e-6)


def test_the_courses_error_comes_out():
    """E = 1/2 (0.25 - 0.7152516803)^2 = 0.1082295630 (the slide prints 0.1083)."""
    error = kt.losses.HalfSquaredError(dtype="float64")([[0.25]], [[0.7152516803]])
    assert float(error) == pytest.approx(0.1082295630, abs=1e-9)


def test_flat_targets_fit_a_single_output():
    """Targets `(batch,)` are those of one unit, not a matrix of differences."""
    assert float(kt.losses.HalfSquaredError()([1.0, 2.0], [[1.0], [2.0]])) == 0.0


def test_other_shapes_are_an_error():
    """Targets that would be broadcast are refused."""
    with pytest.raises(ValueError, match=r"`y_true` must have the shape of `y_pred`.*\(3,\).*\(3, 2\)"):
        kt.losses.HalfSquaredError()([1.0, 2.0, 3.0], np.ones((3, 2)))


def test_outputs_without_a_unit_axis_are_an_error():
    """The sum over the last axis would be one over the batch."""
    with pytest.raises(ValueError, match=r"`y_pred` must be \(batch, units\).*\(2,\)"):
        kt.losses.HalfSquaredError()([1.0, 2.0], [0.0, 0.0])


def test_sample_weights_count():
    """A weight of 0 leaves an example out of the sum."""
    error = kt.losses.HalfSquaredError()([[2.0], [0.0]], [[0.0], [5.0]], sample_weight=[1.0, 0.0])
    assert float(error) == pytest.approx(1.0)
