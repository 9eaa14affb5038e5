"""The table of activation functions by name, against Keras."""

import keras
import numpy as np
import pytest
from scipy import integrate, stats

from kerasteach.activations.functions import COURSE
from kerasteach.activations.keras_functions import KERAS, UNFIT
from kerasteach.activations.lookup import ACTIVATIONS, check_names


def test_the_names_are_those_that_keras_exports():
    """The table has Keras's public functions, but for those that no layer can have, and the course's."""
    public = {name for name in dir(keras.activations) if not name.startswith("_")} - {"get", "serialize", "deserialize"}
    assert set(KERAS) | set(UNFIT) <= public <= set(ACTIVATIONS) | set(UNFIT)
    assert not set(COURSE) & set(KERAS)


@pytest.mark.parametrize("name", KERAS)
def test_keras_finds_each_by_its_name(name):
    """What the table lists, `keras.activations.get` returns."""
    assert callable(keras.activations.get(name))


@pytest.mark.parametrize(
    "name", [name for name, one in ACTIVATIONS.items() if (one.initialization or " ")[0] == "fan_in"]
)
def test_scales_keep_the_mean_square(name):
    """The scale for f is 1 / E[f(z)^2], z from N(0, 1), integrated by SciPy."""
    function = keras.activations.get(name)
    slope = {"negative_slope": 0.01} if name == "leaky_relu" else {}

    def integrand(z):
        return float(function(np.float64(z), **slope)) ** 2 * stats.norm.pdf(z)

    square = integrate.quad(integrand, -12, 0)[0] + integrate.quad(integrand, 0, 12)[0]
    assert ACTIVATIONS[name].initialization[1] == pytest.approx(1 / square, rel=1e-4)


@pytest.mark.parametrize("name", [name for name, one in ACTIVATIONS.items() if not one.axis and name != "binary_step"])
def test_jumps_and_kinks_are_where_the_curves_have_them(name):
    """Around the places of the table, and nowhere else, values or slopes change at once."""
    x = np.linspace(-7, 7, 14_001) + 0.0005  # no kink is on a point
    function = getattr(keras.activations, name, ACTIVATIONS[name].function)
    values = np.asarray(function(x) if name != "leaky_relu" else function(x, 0.01), "float64")
    steps = np.abs(np.diff(values))
    smooth = np.exp(7) if name == "exponential" else 5
    jumps = (x[:-1][steps > 0.002 * smooth] + x[1:][steps > 0.002 * smooth]) / 2
    assert jumps == pytest.approx(ACTIVATIONS[name].jumps, abs=0.002)
    bends = np.abs(np.diff(np.diff(values) / np.diff(x)))
    found = x[1:-1][bends > 0.03] if name != "exponential" else []
    for kink in ACTIVATIONS[name].kinks:
        assert np.abs(found - kink).min() < 0.002
    assert all(min(abs(one - kink) for kink in ACTIVATIONS[name].kinks) < 0.002 for one in found)


def test_known_names_pass():
    """The course's and Keras's names, several at once; none is none."""
    check_names(["relu", "gelu", "binary_step"])
    check_names(None)


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["relo"], ValueError, "`activation` must be one of binary_step.* gelu.*Received: activation='relo'.*'relu'"),
        (["zzz"], ValueError, r"Received: activation='zzz'\.$"),
        (["glu"], ValueError, "cannot be glu: it returns half as many"),
        (["threshold"], ValueError, "cannot be threshold: it needs a threshold"),
        ([3], TypeError, "Received: activation=3"),
        ("relu", TypeError, "`activations` must be a list of names"),
    ],
)
def test_others_are_refused(names, error, message):
    """The message lists the names, and suggests one only where it is near."""
    with pytest.raises(error, match=message):
        check_names(names)
