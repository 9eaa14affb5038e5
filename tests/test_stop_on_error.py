import math

import numpy as np
import pytest

import kerasteach as kt
from kerasteach.measure.stopping import Target, direction


def fit(model, x, y, stop, epochs=30, **options):
    """Train quietly and return Keras's history."""
    return model.fit(x, y, epochs=epochs, verbose=0, callbacks=[stop], **options)


def test_it_stops_after_the_first_epoch_below_the_threshold(blobs, classifier):
    """The last loss is the first one below the threshold, and the attributes say so."""
    stop = kt.callbacks.StopOnError(0.3, verbose=0)
    losses = fit(classifier(), *blobs, stop).history["loss"]
    assert losses[-1] < 0.3 <= min(losses[:-1])
    assert (stop.epoch, stop.value) == (len(losses) - 1, losses[-1])
    assert stop.reason == f"loss {losses[-1]:.4g} < 0.3 at epoch {stop.epoch}"


def test_a_score_stops_above_the_threshold(blobs, classifier):
    """Accuracy rises, and `auto` knows."""
    stop = kt.callbacks.StopOnError(0.9, monitor="val_accuracy", verbose=0)
    scores = fit(classifier(), *blobs, stop, validation_data=blobs).history["val_accuracy"]
    assert scores[-1] > 0.9 >= max(scores[:-1])


def test_it_can_stop_at_epoch_0(blobs, classifier):
    """The first epoch counts."""
    stop = kt.callbacks.StopOnError(100.0, verbose=0)
    assert len(fit(classifier(), *blobs, stop).history["loss"]) == 1
    assert stop.epoch == 0


def test_without_a_stop_there_is_no_reason(blobs, classifier):
    """What did not happen is None, also after an earlier fit that stopped."""
    stop = kt.callbacks.StopOnError(100.0, verbose=0)
    fit(classifier(), *blobs, stop)
    stop._target = Target("loss", -1.0)
    assert len(fit(classifier(), *blobs, stop, epochs=2).history["loss"]) == 2
    assert (stop.reason, stop.epoch, stop.value) == (None, None, None)


def test_nan_is_never_below(blobs, classifier):
    """A loss that is NaN stops nothing."""
    x, y = blobs
    stop = kt.callbacks.StopOnError(100.0, verbose=0)
    losses = fit(classifier(), np.full_like(x, np.nan), y, stop, epochs=2).history["loss"]
    assert all(math.isnan(loss) for loss in losses)
    assert stop.reason is None


def test_it_prints_a_line(capsys, blobs, classifier):
    """`verbose` says why training ended."""
    stop = kt.callbacks.StopOnError(100.0)
    fit(classifier(), *blobs, stop)
    assert capsys.readouterr().out == f"Stopped: {stop.reason}\n"


def test_a_missing_metric_lists_those_there_are(blobs, classifier):
    """The error comes at the end of the first epoch."""
    with pytest.raises(ValueError, match=r"`monitor` must be a metric of this training: accuracy, loss.*'mae'"):
        fit(classifier(), *blobs, kt.callbacks.StopOnError(0.1, monitor="mae"))


def test_a_validation_metric_may_come_later(blobs, classifier):
    """With validation at every third epoch, the epochs between are no error."""
    stop = kt.callbacks.StopOnError(100.0, monitor="val_loss", verbose=0)
    fit(classifier(), *blobs, stop, validation_data=blobs, validation_freq=3)
    assert stop.epoch == 2


def test_a_validation_metric_that_never_comes_is_told(blobs, classifier):
    """Without validation data a warning at the end names what there was; the history is not lost."""
    with pytest.warns(UserWarning, match="never saw 'val_loss' in this training, only accuracy, loss"):
        fit(classifier(), *blobs, kt.callbacks.StopOnError(0.1, monitor="val_loss"), epochs=2)


@pytest.mark.parametrize("threshold", ["0.1", None, True])
def test_a_threshold_is_a_number(threshold):
    """Anything else is an error at construction."""
    with pytest.raises(TypeError, match="`threshold` must be a number"):
        kt.callbacks.StopOnError(threshold)


@pytest.mark.parametrize("threshold", [float("nan"), float("inf")])
def test_a_threshold_is_finite(threshold):
    """NaN and infinity could never be met, or always."""
    with pytest.raises(ValueError, match="`threshold` must be finite"):
        kt.callbacks.StopOnError(threshold)


def test_an_unknown_mode_is_an_error():
    """The error lists the modes."""
    with pytest.raises(ValueError, match=r'`mode` must be "auto", "min" or "max"\. Received: mode=.down'):
        kt.callbacks.StopOnError(0.1, mode="down")


def test_a_metric_whose_name_does_not_tell_needs_a_mode():
    """`auto` asks; a mode that is said is taken."""
    with pytest.raises(ValueError, match='`mode` must be "min" or "max" for a metric of this name'):
        kt.callbacks.StopOnError(0.1, monitor="wobble")
    assert Target("wobble", 0.1, "max").reason(0.2) == "wobble 0.2 > 0.1"


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("root_mean_squared_error", "min"),
        ("sparse_categorical_crossentropy", "min"),
        ("mae", "min"),
        ("accuracy", "max"),
        ("val_top_k_categorical_accuracy", "max"),
        ("auc", "max"),
        ("f1_score", "max"),
        ("recall", "max"),
        ("mean_io_u", "max"),
        ("cosine_similarity", "max"),
    ],
)
def test_names_tell_the_direction(metric, expected):
    """Errors fall and scores rise."""
    assert direction(metric) == expected


def test_a_reason_does_not_contradict_itself():
    """A value just below the threshold is given all its digits."""
    assert Target("loss", 0.05).reason(0.0499999) == "loss 0.0499999 < 0.05"


def test_the_comparison_is_strict():
    """A value equal to the threshold is not below it."""
    assert Target("loss", 0.5).reason(0.5) is None
    assert Target("loss", 0.5).reason(0.49) is not None
