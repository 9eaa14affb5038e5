import numpy as np
import pytest
import tensorflow as tf
from batches import batches
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

import kerasteach as kt


def fit(model, x, y, *callbacks, epochs=2):
    """Train quietly on 60 examples in three batches of 20."""
    return model.fit(batches(x, y, 20), epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks))


def events(directory, tag):
    """Return {step: array} of one tag that was written there."""
    accumulator = EventAccumulator(str(directory), size_guidance={"tensors": 0})
    accumulator.Reload()
    return {event.step: make_ndarray(event.tensor_proto) for event in accumulator.Tensors(tag)}


def test_every_statistic_is_a_scalar(tmp_path, blobs, classifier):
    """Per layer and parameter, at the steps that were captured, with the table's numbers."""
    capture = kt.callbacks.GradientCapture(tensorboard=tmp_path, every=2)
    fit(classifier(), *blobs, capture)
    written = events(tmp_path / "gradients-0001", "gradients/hidden_1/kernel/norm")
    rows = capture.layer("hidden_1").query("parameter == 'kernel'")
    assert list(written) == [0, 2, 4]
    np.testing.assert_allclose([float(value) for value in written.values()], rows["norm"], rtol=1e-6)


@pytest.mark.slow
def test_histograms_are_tensorboards_own(tmp_path, blobs, classifier):
    """Buckets over the magnitudes' decimal logarithms, whose counts are the table's."""
    capture = kt.callbacks.GradientCapture(tensorboard=tmp_path, histogram=np.geomspace(1e-6, 1, 4))
    fit(classifier(), *blobs, capture, epochs=1)
    buckets = events(tmp_path / "gradients-0001", "gradients/output/kernel/log10_magnitude")[0]
    np.testing.assert_allclose(buckets[:, 0], [-7, -6, -4, -2, 0], atol=1e-6)
    np.testing.assert_allclose(buckets[:, 1], [-6, -4, -2, 0, 1], atol=1e-6)
    table = capture.histograms.query("step == 0 and layer == 'output' and parameter == 'kernel'")
    assert buckets[:, 2].tolist() == table["count"].tolist()[1:-1]


@pytest.mark.slow
def test_each_fit_is_a_run_of_its_own(tmp_path, blobs, classifier):
    """A second training does not write over the first one's curves."""
    model, capture = classifier(), kt.callbacks.GradientCapture(tensorboard=tmp_path)
    fit(model, *blobs, capture)
    fit(model, *blobs, capture)
    fit(model, *blobs, kt.callbacks.ActivationCapture(tensorboard=tmp_path), epochs=1)
    runs = ["activations-0001", "gradients-0001", "gradients-0002"]
    assert sorted(path.name for path in tmp_path.iterdir()) == runs
    assert len(events(tmp_path / "activations-0001", "activations/output/call 1/mean")) == 3


@pytest.mark.parametrize("fails", ["scalar", "flush"])
def test_a_full_disk_ends_neither_training_nor_recording(monkeypatch, tmp_path, blobs, classifier, fails):
    """One warning names the folder; the training has all its epochs, and the table all its steps."""

    def full(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "{{node Write}} events.v2; No space left on device\nOh.")

    capture = kt.callbacks.GradientCapture(tensorboard=tmp_path)
    place = tf.summary if fails == "scalar" else type(tf.summary.create_file_writer(str(tmp_path / "one")))
    monkeypatch.setattr(place, fails, full)
    with pytest.warns(
        UserWarning, match=r"cannot be written to \S+gradients-0001 \(events.v2; No space left on device\)"
    ) as said:
        history = fit(classifier(), *blobs, capture, epochs=3)
    assert (len(said), history.epoch, capture.frame["step"].nunique()) == (1, [0, 1, 2], 9)


@pytest.mark.parametrize("kind", [kt.callbacks.GradientCapture, kt.callbacks.ActivationCapture])
def test_without_tensorboard_there_is_an_error_at_once(monkeypatch, tmp_path, kind):
    """It names the extra that is missing."""
    monkeypatch.setattr("kerasteach.measure.recording.tensorboard.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'pip install "tensorboard>=2\.18"'):
        kind(tensorboard=tmp_path)
