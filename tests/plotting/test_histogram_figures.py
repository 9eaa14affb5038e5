import numpy as np
import pandas as pd
import pytest

import kerasteach as kt
from kerasteach.measure.histograms import bounds
from kerasteach.plotting.histogram_panels import quantiles

plotting = kt.plotting
EDGES = np.geomspace(1e-6, 1e2, 17)


def histograms(entries=None, epochs=3, layers=("a", "b"), **columns):
    """Return a capture's table of histograms: of entries around 0.01 that grow with the layer and shrink by epoch."""
    random, rows, (low, high) = np.random.default_rng(0), [], bounds(EDGES)
    for epoch in range(epochs):
        for depth, layer in enumerate(layers, 1):
            values = random.normal(size=500) * 0.01 * depth / (epoch + 1) if entries is None else np.asarray(entries)
            magnitudes = np.abs(values)
            inside = np.histogram(magnitudes[np.isfinite(magnitudes)], EDGES)[0]
            below = int(((magnitudes > 0) & (magnitudes < EDGES[0])).sum())
            above = int((magnitudes[np.isfinite(magnitudes)] >= EDGES[-1]).sum())
            count = [int((magnitudes == 0).sum()), below, *inside, above, int((~np.isfinite(magnitudes)).sum())]
            keys = {"epoch": epoch, "step": epoch, "layer": layer, "depth": depth, **columns}
            rows.append(pd.DataFrame({**keys, "low": low, "high": high, "count": count}))
    return pd.concat(rows, ignore_index=True)


@pytest.mark.parametrize("share", [0.05, 0.31, 0.5, 0.95])
def test_quantiles_are_those_of_the_entries(share):
    """Within the width of a bin they are NumPy's."""
    magnitudes = np.abs(np.random.default_rng(1).normal(size=5000))
    edges = np.geomspace(1e-6, 1e2, 81)
    counts = np.histogram(magnitudes, edges)[0]
    found = quantiles(edges[:-1], edges[1:], counts, [share])[0]
    assert found == pytest.approx(np.quantile(magnitudes, share), rel=edges[1] / edges[0] - 1)


def test_a_ridge_is_the_share_of_the_entries_a_decade():
    """The area below it is 1, in decades; the highest ridge is as high as a row and a bit."""
    figure = plotting.activation_histograms_figure(histograms(layers=("a",)), epochs=[0])
    patch = next(patch for patch in figure.subfigs[0].axes[0].patches if not patch.get_fill())
    values, edges, baseline = patch.get_data()
    heights = (values - baseline) / 1.15
    counts = np.histogram(np.abs(np.random.default_rng(0).normal(size=500) * 0.01), EDGES)[0]
    np.testing.assert_allclose(heights, counts / counts.max())
    np.testing.assert_allclose(edges, EDGES)


def test_the_median_goes_over_the_epochs():
    """A panel a layer; the line sinks as the entries shrink."""
    figure = plotting.gradient_histograms_figure(histograms(parameter="kernel"))
    panel = figure.subfigs[1].axes[0]
    line = panel.lines[-1]
    assert panel.get_title() == "a"
    assert line.get_xdata().tolist() == [1, 2, 3]
    expected = 0.00674 / np.array([1, 2, 3])  # of the absolute values of a normal distribution the median is 0.674
    np.testing.assert_allclose(line.get_ydata(), expected, rtol=0.3)


def test_what_has_no_place_on_the_axis_is_written():
    """Exact zeros, and what is not finite, as shares of all entries."""
    entries = [0.0] * 60 + [np.nan] * 15 + [0.01] * 25
    figure = plotting.activation_histograms_figure(histograms(entries))
    labels = [label.get_text() for label in figure.subfigs[0].axes[0].get_yticklabels()]
    assert labels == ["a\n60 % are 0\n15 % not finite", "b\n60 % are 0\n15 % not finite"]


def test_kernels_are_drawn_unless_another_parameter_is_named():
    """Of both in a table; an unknown one is an error that names them."""
    both = pd.concat([histograms(parameter=name) for name in ("kernel", "bias")])
    assert "kernel gradients" in plotting.gradient_histograms_figure(both).get_suptitle()
    assert "bias gradients" in plotting.gradient_histograms_figure(both, "bias").get_suptitle()
    with pytest.raises(ValueError, match='`parameter` must be one of "kernel", "bias"'):
        plotting.gradient_histograms_figure(both, "gamma")


def test_many_layers_are_divided_evenly():
    """Ten layers are two pages of five."""
    table = histograms(epochs=1, layers=list("abcdefghij"))
    assert plotting.pages(table) == 2
    figure = plotting.activation_histograms_figure(table, page=2)
    assert [ax.get_title() for ax in figure.subfigs[1].axes if ax.axison] == list("fghij")
    assert figure.get_suptitle().endswith("page 2 of 2")


def test_steps_are_the_time_of_a_single_epoch():
    """Where there is one epoch alone, its steps say how it went."""
    table = histograms().assign(epoch=0)
    panel = plotting.activation_histograms_figure(table).subfigs[1].axes[0]
    assert panel.lines[-1].get_xdata().tolist() == [0, 1, 2]


@pytest.mark.sample(1)
@pytest.mark.parametrize("entries", [[0.0], [np.inf], [1e-9], [1e5], [0.5]])
def test_awkward_entries_are_drawn(entries):
    """Nothing but zeros, nothing finite, all below or above the bins, all alike; in one epoch and in several."""
    for epochs in (1, 2):
        plotting.activation_histograms_figure(histograms(entries, epochs=epochs)).draw_without_rendering()


def test_epochs_must_be_in_the_table():
    """The error says which are."""
    with pytest.raises(ValueError, match=r"`epochs` must be one to 6 epochs of the table, 0 to 2. Received: .*\[5\]"):
        plotting.activation_histograms_figure(histograms(), epochs=[0, 5])
