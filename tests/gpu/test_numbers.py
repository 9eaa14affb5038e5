"""What is recorded on a GPU, held against the same training on the CPU, within float32's rounding."""

import keras
import numpy as np
import pytest
from network import X, fit
from places import NOT_ON_JAX, kind_of, network, on, trained, trained_by_batch

import kerasteach as kt
from kerasteach.measure import statistics

pytestmark = pytest.mark.gpu


def assert_close(there, here):
    """Raise unless two tables have the same keys, and numbers that six steps with Adam may round so far apart."""
    assert list(there) == list(here)
    for column in here:
        if here[column].dtype.kind == "f":
            np.testing.assert_allclose(there[column], here[column], rtol=2e-3, atol=1e-5, err_msg=column)
        else:
            assert there[column].tolist() == here[column].tolist()


@pytest.mark.parametrize(("every", "images"), [(1, False), (2, False), ("epoch", False), (1, True)])
def test_gradients_are_those_of_the_cpu(device, every, images):
    """All statistics of every parameter."""
    there, here = (kt.callbacks.GradientCapture(every=every, statistics="all") for _ in range(2))
    model = trained(device, there, images)
    trained("cpu", here, images)
    assert {kind_of(weights) for weights in model.trainable_variables} == {device}
    assert_close(there.frame, here.frame)


def test_histograms_are_those_of_the_cpu(device):
    """But for entries that lie so near an edge that rounding moves them over it: at most one in a hundred."""
    there, here = (kt.callbacks.GradientCapture(histogram=True) for _ in range(2))
    trained(device, there)
    trained("cpu", here)
    counts = [capture.histograms["count"].to_numpy() for capture in (there, here)]
    assert counts[0].sum() == counts[1].sum() > 0
    assert np.abs(counts[0] - counts[1]).sum() <= counts[1].sum() / 100


def test_whole_gradients_are_those_of_the_cpu(device):
    """Entry by entry, those that `raw=` keeps."""
    there, here = (kt.callbacks.GradientCapture(raw={"output": [0, 5]}) for _ in range(2))
    trained(device, there)
    trained("cpu", here)
    assert set(there.raw) == set(here.raw) == {0, 5}
    for step, gradients in here.raw.items():
        for path, gradient in gradients.items():
            np.testing.assert_allclose(there.raw[step][path], gradient, rtol=2e-3, atol=1e-5)


@NOT_ON_JAX
@pytest.mark.parametrize("every", [1, "epoch"])
def test_outputs_are_those_of_the_cpu(device, every):
    """All statistics of every layer's output."""
    there, here = (kt.callbacks.ActivationCapture(every=every) for _ in range(2))
    trained(device, there)
    trained("cpu", here)
    assert_close(there.frame, here.frame)


def test_a_loop_is_recorded_as_on_the_cpu(device):
    """`record` around `train_on_batch`."""
    there, here = (trained_by_batch(kind, kt.measure.record) for kind in (device, "cpu"))
    assert here.frame["step"].nunique() == 6
    assert_close(there.frame, here.frame)


@pytest.mark.parametrize("per", ["epoch", "batch"])
def test_a_training_stops_where_it_does_on_the_cpu(device, per):
    """At the same epoch or batch, by the same value; the threshold lies between two losses, far from both."""
    watch = kt.callbacks.StopOnError(1e-9, per=per, verbose=0)
    trained("cpu", watch, epochs=4)
    losses = watch.frame["value"].to_numpy()
    lowest = np.minimum.accumulate(losses)
    last = int(np.flatnonzero(np.diff(lowest) < 0)[-1]) + 1  # the last that is lower than all before it
    threshold = float(lowest[last - 1 : last + 1].mean())
    there, here = (kt.callbacks.StopOnError(threshold, per=per, verbose=0) for _ in range(2))
    trained(device, there, epochs=4)
    trained("cpu", here, epochs=4)
    assert here.reason is not None
    assert (there.epoch, there.step) == (here.epoch, here.step)
    assert there.value == pytest.approx(here.value, rel=1e-3)


@pytest.mark.parametrize("size", [1000, 10_000, 1_000_000])
@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e25])
def test_statistics_of_any_size_are_those_of_float64(device, size, scale):
    """Also of gradients whose squares float32 cannot hold, held against NumPy."""
    entries = (scale * np.random.default_rng(0).normal(size=size)).astype("float32")
    names = ("norm", "mean", "std", "finite", "mean_abs", "max_abs", "zero_fraction")
    with on(device):
        sums = statistics.measure(names, [keras.ops.convert_to_tensor(entries)], [None])
        found = statistics.finish(names, keras.ops.convert_to_numpy(sums).astype("float64"))[0]
    wide = entries.astype("float64")
    expected = [np.linalg.norm(wide), wide.mean(), wide.std(), 1, np.abs(wide).mean(), np.abs(wide).max(), 0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * scale)


def test_training_is_not_changed(device):
    """The weights with captures are those without, but for rounding."""
    plain, watched = kt.callbacks.StopOnError(1e-9, verbose=0), kt.callbacks.GradientCapture(statistics="all")
    one, other = (trained(device, callback) for callback in (plain, watched))
    for weights, others in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(weights, others, rtol=1e-3, atol=1e-5)


def test_a_run_is_written_and_read(device, tmp_path):
    """From the device to disk and back, the table is the capture's."""
    capture = kt.callbacks.GradientCapture(directory=tmp_path)
    with on(device):
        fit(network(keras.optimizers.SGD(0.1)), capture, x=X)
    assert len(capture.frame) == 6 * 6  # steps and parameters
    assert kt.measure.read(tmp_path).equals(capture.frame)
