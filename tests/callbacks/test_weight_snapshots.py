import keras
import numpy as np
import pytest

import kerasteach as kt


def test_the_weights_of_each_epoch(blobs, classifier):
    """The first snapshot is the start, the last one the end, and each is a copy."""
    model = classifier()
    path = kt.callbacks.WeightSnapshots()
    start = [one.copy() for one in model.get_weights()]
    model.fit(*blobs, epochs=3, verbose=0, callbacks=[path])
    assert len(path.snapshots) == 4
    for found, expected in ((path.snapshots[0], start), (path.snapshots[-1], model.get_weights())):
        assert all(np.array_equal(*pair) for pair in zip(found, expected, strict=True))
    assert np.abs(path.snapshots[1][0] - path.snapshots[2][0]).max() > 0


@pytest.mark.sample(2)
@pytest.mark.parametrize(("every", "expected"), [(1, 7), (2, 4), (4, 3), (100, 2)])
def test_the_weights_of_every_nth_step(every, expected, blobs, classifier):
    """Of 6 steps in 2 epochs: the start, every n-th over the epochs, and the end once."""
    model = classifier()
    path = kt.callbacks.WeightSnapshots(every=every)
    model.fit(*blobs, batch_size=20, epochs=2, verbose=0, callbacks=[path])
    assert len(path.snapshots) == expected
    assert np.array_equal(path.snapshots[-1][0], model.get_weights()[0])


def test_each_fit_starts_afresh(blobs, classifier):
    """The second training's path starts where the first ended."""
    model = classifier()
    path = kt.callbacks.WeightSnapshots()
    model.fit(*blobs, epochs=2, verbose=0, callbacks=[path])
    end = path.snapshots[-1][0]
    model.fit(*blobs, epochs=1, verbose=0, callbacks=[path])
    assert len(path.snapshots) == 2
    np.testing.assert_array_equal(path.snapshots[0][0], end)


@pytest.mark.sample(1)
@pytest.mark.parametrize(("every", "kept", "first"), [("epoch", 2, "epoch"), (4, 2, "4 steps")])
def test_a_start_that_cannot_be_kept_is_said(every, kept, first, blobs):
    """One warning where the model is built only by its first batch, and none when it trains on."""
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    path = kt.callbacks.WeightSnapshots(every=every)
    with pytest.warns(UserWarning, match=f"begins after the first {first}. Begin the model with keras.Input") as warned:
        model.fit(*blobs, batch_size=20, epochs=2, verbose=0, callbacks=[path])
    assert (len(warned), len(path.snapshots)) == (1, kept)
    model.fit(*blobs, batch_size=20, epochs=2, verbose=0, callbacks=[path])
    assert len(path.snapshots) == kept + 1


@pytest.mark.parametrize("every", [0, "batch", True, 1.5])
def test_every_is_checked(every):
    """It is a number of steps, or "epoch"."""
    with pytest.raises(ValueError, match='`every` must be a number of steps from 1, or "epoch"'):
        kt.callbacks.WeightSnapshots(every=every)


@pytest.mark.slow
def test_a_shell_shows_how_many_snapshots_there_are(blobs, classifier):
    """Before a training none, after it their number and that of the weights."""
    path = kt.callbacks.WeightSnapshots()
    assert repr(path) == "WeightSnapshots: no snapshot yet"
    model = classifier()
    model.fit(*blobs, epochs=3, verbose=0, callbacks=[path])
    assert repr(path).splitlines()[0] == f"WeightSnapshots: 4 snapshots of {model.count_params()} weights"
