"""Small and large gradients, vanished and exploded ones, are measured on each backend as NumPy measures them."""

import numpy as np
import pytest
from keras import ops

from kerasteach.measure import statistics

NAMES = ["norm", "mean", "std", "finite", "mean_abs", "max_abs", "zero_fraction"]


@pytest.mark.parametrize("scale", [1.0, 1e-23, 1e20])
def test_statistics_are_those_of_numpy_at_every_scale(scale):
    """Computed in float32 on the backend, they agree with NumPy's in float64."""
    random = np.random.default_rng(0)
    shapes = [(70, 80), (3,), (9000,), (2, 3, 1000), (400, 500), (200_001,)]
    gradients = [(scale * random.normal(size=shape)).astype("float32") for shape in shapes]
    tensors = [ops.convert_to_tensor(gradient) for gradient in gradients]
    measured = statistics.measure(NAMES, tensors, [None] * len(tensors))
    rows = statistics.finish(NAMES, ops.convert_to_numpy(measured))
    for gradient, row in zip(gradients, rows, strict=True):
        exact = gradient.astype("float64")
        size = np.abs(exact)
        expected = [np.linalg.norm(exact), exact.mean(), exact.std(), 1, size.mean(), size.max(), 0]
        np.testing.assert_allclose(row, expected, rtol=2e-5, atol=1e-6 * size.mean(), err_msg=str((scale, exact.shape)))
