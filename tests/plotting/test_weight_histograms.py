from types import SimpleNamespace

import numpy as np
import pytest

import kerasteach as kt

plotting = kt.plotting
NAMES = ["a/kernel", "a/bias", "b/kernel", "b/bias"]
random = np.random.default_rng(0)


def weights(scale=1.0):
    """Return the weights of two layers."""
    return [scale * random.normal(size=shape) for shape in ((4, 50), (50,), (50, 3), (3,))]


def test_shares_before_and_after_are_those_of_numpy():
    """Outline and shape have the same bins, from the smallest of all weights to the largest."""
    before, after = weights(), weights(2.0)
    figure = plotting.weight_histograms_figure(dict(zip(NAMES, before)), dict(zip(NAMES, after)))  # noqa: B905
    assert [ax.get_title().split(":")[0] for ax in figure.axes] == ["a", "b"]
    filled, outline = figure.axes[0].patches
    for patch, array in ((filled, after[0]), (outline, before[0])):
        values, edges, _ = patch.get_data()
        np.testing.assert_allclose(values, np.histogram(array, edges)[0] / array.size)
    both = np.concatenate([before[0].ravel(), after[0].ravel()])
    assert (edges[0], edges[-1]) == pytest.approx((both.min(), both.max()))
    assert figure.axes[0].get_title() == f"a: {before[0].std():.2g}, then {after[0].std():.2g}"


def test_snapshots_give_the_first_and_the_last():
    """With their names; a list of arrays alone has none."""
    first, last = weights(), weights(3.0)
    snapshots = SimpleNamespace(snapshots=[first, weights(9.0), last], names=NAMES)
    titles = [ax.get_title() for ax in plotting.weight_histograms_figure(snapshots).axes]
    named = plotting.weight_histograms_figure(dict(zip(NAMES, first)), dict(zip(NAMES, last)))  # noqa: B905
    assert titles == [ax.get_title() for ax in named.axes]
    numbered = plotting.weight_histograms_figure(first, last)
    assert [ax.get_title().split(":")[0] for ax in numbered.axes] == ["weight 1", "weight 3"]


def test_layers_are_named_as_in_the_other_figures():
    """Without the cell of a recurrent layer, and without the number that Keras has counted up to."""
    named = {"gru_3/gru_cell/kernel": np.ones((2, 2)), "gru_4/gru_cell/kernel": np.ones((2, 2))}
    titles = [ax.get_title().split(":")[0] for ax in plotting.weight_histograms_figure(named).axes]
    assert titles == ["gru 1", "gru 2"]


def test_other_parameters_are_named():
    """Biases, or all; the panels say which is which."""
    named = dict(zip(NAMES, weights(), strict=True))
    assert [ax.get_title().split(":")[0] for ax in plotting.weight_histograms_figure(named, None, "bias").axes] == [
        "a",
        "b",
    ]
    titles = [ax.get_title().split(":")[0] for ax in plotting.weight_histograms_figure(named, None, None).axes]
    assert titles == NAMES
    with pytest.raises(ValueError, match="`parameter` must be a weight of `before`: bias, kernel; None draws all"):
        plotting.weight_histograms_figure(named, parameter="gamma")


@pytest.mark.parametrize("array", [np.zeros((2, 2)), np.full((2, 2), np.nan), np.array([[1.0, np.inf]]), [[7.0]]])
def test_awkward_weights_are_drawn(array):
    """All 0, not finite, in part so, a single one."""
    plotting.weight_histograms_figure([np.asarray(array)], [np.asarray(array)]).draw_without_rendering()


def test_what_is_no_weights_is_refused():
    """The error names the argument."""
    with pytest.raises(TypeError, match="`before` must be a WeightSnapshots, a list of arrays, or a mapping"):
        plotting.weight_histograms_figure(3)
    with pytest.raises(ValueError, match="`before` and `after` must be of the same network"):
        plotting.weight_histograms_figure(weights(), weights()[:2])
    with pytest.raises(ValueError, match="`before` has no snapshot yet"):
        plotting.weight_histograms_figure(SimpleNamespace(snapshots=[], names=[]))
