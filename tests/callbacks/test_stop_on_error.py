import math

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import kerasteach as kt
from kerasteach.keras_internals import loss_metric
from kerasteach.stopping import Rule, Target, direction

ACCURACY = {"metrics": ["accuracy"]}


@pytest.fixture(scope="module")
def compiled(classifier):
    """Return a function that gives the small network as it was at first, compiled and traced once for all tests.

    For a rule of epochs, which leaves the compiled steps of the model as they are.
    """
    made = {}

    def as_at_first(**options):
        key = str(options)
        if key not in made:
            model = classifier(**options)
            made[key] = model, model.get_weights()
        model, weights = made[key]
        model.set_weights(weights)
        model.optimizer.iterations.assign(0)
        return model

    return as_at_first


def fit(model, x, y, stop, epochs=30, **options):
    """Train quietly and return Keras's history."""
    return model.fit(x, y, epochs=epochs, verbose=0, callbacks=[stop], **options)


def assert_close(ones, others):
    """Raise unless histories, or lists of numbers, are equal but for rounding."""
    np.testing.assert_allclose(keras.tree.flatten(ones), keras.tree.flatten(others), rtol=1e-4)


def test_it_stops_after_the_first_epoch_below_the_threshold(blobs, compiled):
    """The last loss is the first one below the threshold, and the attributes say so."""
    stop = kt.callbacks.StopOnError(0.8, verbose=0)
    losses = fit(compiled(), *blobs, stop).history["loss"]
    assert losses[-1] < 0.8 <= min(losses[:-1])
    assert (stop.epoch, stop.value) == (len(losses) - 1, losses[-1])
    assert stop.reason == f"Epoch {stop.epoch + 1}: loss {losses[-1]:.4g} < 0.8"


def test_a_score_stops_above_the_threshold(blobs, compiled):
    """Accuracy rises, and `auto` knows."""
    stop = kt.callbacks.StopOnError(0.9, monitor="val_accuracy", verbose=0)
    scores = fit(compiled(**ACCURACY), *blobs, stop, validation_data=blobs).history["val_accuracy"]
    assert scores[-1] > 0.9 >= max(scores[:-1])


def test_it_can_stop_at_epoch_0(blobs, compiled):
    """The first epoch counts."""
    stop = kt.callbacks.StopOnError(100.0, verbose=0)
    assert len(fit(compiled(), *blobs, stop).history["loss"]) == 1
    assert stop.epoch == 0


@pytest.mark.slow
def test_without_a_stop_there_is_no_reason(blobs, compiled):
    """What did not happen is None, also after an earlier fit that stopped."""
    stop = kt.callbacks.StopOnError(100.0, verbose=0)
    fit(compiled(), *blobs, stop)
    stop._rule = Rule((Target("loss", -1.0),))
    assert len(fit(compiled(), *blobs, stop, epochs=2).history["loss"]) == 2
    assert (stop.reason, stop.epoch, stop.step, stop.value) == (None, None, None, None)


def test_nan_is_never_below(blobs, compiled):
    """A loss that is NaN stops nothing."""
    x, y = blobs
    stop = kt.callbacks.StopOnError(100.0, verbose=0)
    losses = fit(compiled(), np.full_like(x, np.nan), y, stop, epochs=2).history["loss"]
    assert all(math.isnan(loss) for loss in losses)
    assert stop.reason is None


def test_it_prints_a_line(capsys, blobs, compiled):
    """`verbose` says why training ended."""
    stop = kt.callbacks.StopOnError(100.0)
    fit(compiled(), *blobs, stop)
    assert capsys.readouterr().out == f"Stopped: {stop.reason}\n"


def test_a_missing_metric_lists_those_there_are(blobs, compiled):
    """The error comes at the end of the first epoch."""
    with pytest.raises(ValueError, match=r"`monitor` must be a metric of this training: accuracy, loss.*'mae'"):
        fit(compiled(**ACCURACY), *blobs, kt.callbacks.StopOnError(0.1, monitor="mae"))


def test_a_validation_metric_may_come_later(blobs, compiled):
    """With validation at every third epoch, the first epoch is one warning, and the third is judged."""
    stop = kt.callbacks.StopOnError(100.0, monitor="val_loss", verbose=0)
    with pytest.warns(UserWarning, match="val_loss is not there, only accuracy, loss") as warned:
        fit(compiled(**ACCURACY), *blobs, stop, validation_data=blobs, validation_freq=3)
    assert len(warned) == 1
    assert stop.epoch == 2


@pytest.mark.slow
def test_a_misspelt_validation_metric_is_an_error_at_the_first_validation(blobs, compiled):
    """With validation at every third epoch, the error comes at the end of epoch 2 and lists what there is."""
    model, epochs = compiled(**ACCURACY), []
    stop = kt.callbacks.StopOnError(0.1, monitor="val_mae")
    judge, stop.on_epoch_begin = stop.on_epoch_begin, lambda epoch, logs=None: (epochs.append(epoch), judge(epoch))
    with (
        pytest.warns(UserWarning, match="Nothing was validated"),
        pytest.raises(ValueError, match=r"accuracy, loss, val_accuracy, val_loss.*'val_mae'"),
    ):
        fit(model, *blobs, stop, validation_data=blobs, validation_freq=3)
    assert epochs == [0, 1, 2]


@pytest.mark.sample(1)
@pytest.mark.parametrize("threshold", [{"val_loss": 0.1}, {"loss": 0.1, "val_accuracy": 0.9}])
def test_a_validation_metric_without_validation_is_one_warning(threshold, blobs, compiled):
    """It says what is missing after the first epoch; the training goes on to its end."""
    model, stop = compiled(**ACCURACY), kt.callbacks.StopOnError(threshold)
    with pytest.warns(UserWarning, match=r"val_\w+ is not there.*`validation_data` or `validation_split`") as warned:
        assert len(fit(model, *blobs, stop, epochs=3).history["loss"]) == 3
    assert len(warned) == 1
    assert stop.reason is None


@pytest.mark.slow
def test_a_validation_metric_may_come_from_a_callback(blobs, compiled):
    """What a callback in front puts into the logs is judged, without any validation of `fit`'s."""

    class Score(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_auc"] = 0.5 + 0.1 * epoch

    stop = kt.callbacks.StopOnError(0.65, monitor="val_auc", verbose=0)
    compiled().fit(*blobs, epochs=9, verbose=0, callbacks=[Score(), stop])
    assert (stop.epoch, stop.reason) == (2, "Epoch 3: val_auc 0.7 > 0.65")
    late = kt.callbacks.StopOnError(0.65, monitor="val_auc", verbose=0)
    with pytest.raises(ValueError, match="must stand in front of StopOnError"):
        compiled().fit(*blobs, verbose=0, callbacks=[late, Score()], validation_data=blobs)


def test_a_validation_split_is_validation_data(blobs, compiled):
    """Part of the training data will do."""
    stop = kt.callbacks.StopOnError(100.0, monitor="val_loss", verbose=0)
    fit(compiled(), *blobs, stop, validation_split=0.2)
    assert stop.epoch == 0


@pytest.mark.slow
def test_all_of_several_conditions_must_hold_at_once(blobs, compiled):
    """The last epoch is the first in which both hold."""
    stop = kt.callbacks.StopOnError({"loss": 0.35, "val_accuracy": 0.9}, verbose=0)
    history = fit(compiled(**ACCURACY), *blobs, stop, validation_data=blobs).history
    both = [loss < 0.35 and score > 0.9 for loss, score in zip(history["loss"], history["val_accuracy"], strict=True)]
    assert both == [False] * (len(both) - 1) + [True]
    assert stop.value == {"loss": history["loss"][-1], "val_accuracy": history["val_accuracy"][-1]}
    assert stop.reason.count(" and ") == 1


def test_any_of_several_conditions_will_do(blobs, compiled):
    """One that does not hold does not matter, and is no reason."""
    stop = kt.callbacks.StopOnError({"loss": 0.8, "accuracy": 0.999}, require="any", verbose=0)
    losses = fit(compiled(**ACCURACY), *blobs, stop).history["loss"]
    assert losses[-1] < 0.8 <= min(losses[:-1])
    assert "accuracy" not in stop.reason


def test_a_mode_may_be_a_dictionary(blobs, compiled):
    """Here the loss must rise above, and the name of accuracy decides."""
    stop = kt.callbacks.StopOnError({"loss": 0.0, "accuracy": -1.0}, mode={"loss": "max"}, verbose=0)
    fit(compiled(**ACCURACY), *blobs, stop)
    assert stop.epoch == 0


def test_consecutive_epochs_must_all_pass():
    """An epoch that does not pass, or is NaN, begins the count anew."""
    stop = kt.callbacks.StopOnError(0.5, consecutive=2, verbose=0)
    losses = (0.4, 0.6, 0.4, math.nan, 0.4, 0.3)
    assert [stop.update(loss=loss) for loss in losses] == [False] * 5 + [True]
    assert (stop.epoch, stop.value, stop.reason) == (5, 0.3, "Epoch 6: loss 0.3 < 0.5, 2 times in a row")


def test_min_epochs_are_trained_in_any_case(blobs, compiled):
    """A threshold that holds from the start stops after the third epoch."""
    stop = kt.callbacks.StopOnError(100.0, min_epochs=3, verbose=0)
    assert len(fit(compiled(), *blobs, stop).history["loss"]) == 3
    assert stop.epoch == 2


def own_losses(model, x, y, batch_size, weights=None, epochs=1):
    """Train with a loop that differentiates by itself, and return each batch's own loss."""
    losses = []
    for _ in range(epochs):
        for start in range(0, len(x), batch_size):
            rows = slice(start, start + batch_size)
            with tf.GradientTape() as tape:
                probabilities = model(x[rows], training=True)
                each = -tf.math.log(tf.gather(probabilities, y[rows], batch_dims=1))
                weighted = each if weights is None else each * weights[rows]
                loss = tf.reduce_mean(weighted)
            for weight, gradient in zip(
                model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
            ):
                weight.assign_sub(0.5 * gradient)
            losses.append(float(loss))
    return losses


@pytest.mark.sample(1)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("options", [{}, {"steps_per_execution": 3}, {"run_eagerly": True}, {"jit_compile": True}])
def test_a_batch_is_judged_by_its_own_loss(options, weighted, blobs, classifier):
    """With unequal batches and sample weights, the stop is at the first batch whose own loss is below.

    Training ends with the running execution.
    """
    x, y = blobs[0][:55], blobs[1][:55]  # batches of 8, and one of 7
    weights = np.linspace(0.1, 2, 55).astype("float32") if weighted else None
    losses = own_losses(classifier(), x, y, 8, weights, epochs=5)
    threshold = sorted(losses)[2] * 1.0001
    first = next(number for number, loss in enumerate(losses) if loss < threshold)
    stop = kt.callbacks.StopOnError(threshold, per="batch", verbose=0)
    model = classifier(**options)
    fit(model, x, y, stop, epochs=5, batch_size=8, shuffle=False, sample_weight=weights)
    assert (stop.epoch, stop.step) == divmod(first, 7)
    assert stop.value == pytest.approx(losses[first], rel=1e-5)
    assert stop.reason.startswith(f"Epoch {stop.epoch + 1}, batch {stop.step + 1}: loss ")
    execution = options.get("steps_per_execution", 1)
    steps = min(7, -(-(stop.step + 1) // execution) * execution)
    assert int(model.optimizer.iterations) == 7 * stop.epoch + steps


@pytest.mark.slow
def test_an_evaluation_between_batches_is_no_batch(blobs, classifier):
    """What another callback evaluates is not judged."""
    losses = own_losses(classifier(), *blobs, 20, epochs=2)

    class Evaluate(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.evaluate(np.zeros((9, 4)), np.zeros(9), batch_size=3, verbose=0)

    seen = []
    stop = kt.callbacks.StopOnError(-1.0, per="batch", verbose=0)
    judge = stop._judge
    stop._judge = lambda metrics, step: seen.append(metrics["loss"]) or judge(metrics, step)
    callbacks = [stop, Evaluate()]
    classifier().fit(*blobs, batch_size=20, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
    np.testing.assert_allclose(seen, losses, rtol=1e-5)


@pytest.mark.slow
def test_judging_batches_leaves_the_model_as_it_was(blobs, classifier, tmp_path):
    """But for rounding, weights and history are a plain fit's; a checkpoint and the metric keep no trace."""
    plain, judged = classifier(keras.optimizers.Adam()), classifier(keras.optimizers.Adam())
    tracker = loss_metric(judged)
    history = plain.fit(*blobs, batch_size=16, epochs=2, shuffle=False, verbose=0).history
    callbacks = [
        kt.callbacks.StopOnError(-1.0, per="batch"),
        keras.callbacks.ModelCheckpoint(tmp_path / "model.keras"),
        kt.callbacks.GradientCapture(),
    ]
    found = judged.fit(*blobs, batch_size=16, epochs=2, shuffle=False, verbose=0, callbacks=callbacks).history
    assert_close(found, history)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for one in (judged, loaded):
        for mine, its in zip(plain.get_weights(), one.get_weights(), strict=True):
            np.testing.assert_allclose(mine, its, rtol=1e-4, atol=1e-6)
    assert int(loaded.optimizer.iterations) == 8
    assert loss_metric(judged) is tracker
    after = [one.fit(*blobs, batch_size=16, shuffle=False, verbose=0).history for one in (judged, plain)]
    assert_close(*after)
    assert len(callbacks[2].frame) == 8 * 6


@pytest.mark.slow
def test_evaluations_before_meanwhile_and_after_return_the_loss(blobs, classifier):
    """What was compiled with one metric is not read from the other: validation and `evaluate` are as without a stop."""
    model, twin = classifier(**ACCURACY), classifier(**ACCURACY)
    results = []
    for one in (model, twin):
        callbacks = [kt.callbacks.StopOnError(-1.0, per="batch")] if one is model else []
        before = one.evaluate(*blobs, verbose=0)
        options = {"validation_data": blobs, "epochs": 2, "shuffle": False, "verbose": 0}
        history = one.fit(*blobs, callbacks=callbacks, **options).history
        results.append([before, history, one.evaluate(*blobs, verbose=0), one.fit(*blobs, **options).history])
    assert_close(*results)
    assert results[0][2][0] > 0


@pytest.mark.slow
def test_after_an_exception_the_next_fit_is_as_ever(blobs, classifier, interrupt):
    """What an interrupted fit left judges the next one, and another fit without it is not disturbed."""
    model, twin = classifier(), classifier()
    stop = kt.callbacks.StopOnError(100.0, per="batch", verbose=0)
    for one in (model, twin):
        with pytest.raises(KeyboardInterrupt):
            one.fit(*blobs, shuffle=False, verbose=0, callbacks=[interrupt(1), *([stop] if one is model else [])])
    plain = [one.fit(*blobs, shuffle=False, verbose=0).history for one in (model, twin)]
    assert_close(*plain)
    fit(model, *blobs, stop)
    assert (stop.epoch, stop.step) == (0, 0)


@pytest.mark.sample(1)
@pytest.mark.parametrize("eager", [True, False])
def test_an_evaluation_inside_a_train_step_is_no_batch(eager):
    """A step that tests the model on other data hands Keras a second loss, which is not the training batch's."""
    easy = np.zeros((8, 4), "float32"), np.zeros((8, 1), "float32")

    class Tested(keras.Sequential):
        def train_step(self, data):
            logs = super().train_step(data)
            self.test_step(easy)
            return logs

    model = Tested([keras.Input((4,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(1e-6), "mse", run_eagerly=eager)
    stop = kt.callbacks.StopOnError(1.0, per="batch", verbose=0)
    model.fit(np.ones((24, 4)), np.full((24, 1), 100.0), batch_size=8, verbose=0, callbacks=[stop])
    assert stop.reason is None


def test_a_train_step_that_keeps_its_loss_to_itself_is_an_error(blobs):
    """The error says what the step must do, or to call `update`."""

    class Silent(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            return {"loss": tf.reduce_mean(self(data[0]))}

    model = Silent()
    model.compile("sgd", "mse")
    with pytest.raises(RuntimeError, match=r"`train_step` must hand Keras its loss.*Received: Silent"):
        model.fit(*blobs, verbose=0, callbacks=[kt.callbacks.StopOnError(0.1, per="batch")])


def test_a_loop_of_ones_own_asks_when_it_is_time(capsys):
    """`update` judges batches too, epoch by epoch, and begins anew after a stop."""
    stop = kt.callbacks.StopOnError(0.5, per="batch", min_epochs=1)
    stopped = [
        stop.update(loss=loss, epoch=epoch) for epoch, loss in [(0, 0.4), (0, 0.9), (1, 0.8), (1, tf.constant(0.3))]
    ]
    assert stopped == [False, False, False, True]
    assert (stop.epoch, stop.step) == (1, 1)
    assert capsys.readouterr().out == "Stopped: Epoch 2, batch 2: loss 0.3 < 0.5\n"
    assert stop.update(loss=0.9) is False
    assert (stop.reason, stop.epoch, stop.step, stop.value) == (None, None, None, None)


def test_update_needs_the_metrics_of_the_rule():
    """The error lists what was given."""
    with pytest.raises(
        ValueError, match=r"`monitor` must be a metric of this training: error\. Received: monitor='loss'"
    ):
        kt.callbacks.StopOnError(0.1).update(error=0.3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"per": "step"}, '`per` must be one of "epoch", "batch"'),
        ({"per": "batch", "monitor": "val_loss"}, '`monitor` must be "loss".*validation metrics only at its end'),
        ({"per": "batch", "monitor": "accuracy"}, '`monitor` must be "loss".*Received: monitor=accuracy'),
        ({"consecutive": 0}, "`consecutive` must be a whole number from 1"),
        ({"min_epochs": -1}, "`min_epochs` must be a whole number from 0"),
        ({"require": "some"}, '`require` must be one of "all", "any"'),
        ({"threshold": {}}, "`threshold` must name a metric"),
        ({"threshold": {"loss": 0.1}, "monitor": "mae"}, "its keys are the metrics"),
        ({"threshold": {"loss": 0.1}, "mode": {"lose": "min"}}, "`mode` must be for metrics out of loss"),
    ],
)
def test_bad_arguments_are_refused_at_once(arguments, message):
    """Each error names the argument, what was received and what would work."""
    with pytest.raises(ValueError, match=message):
        kt.callbacks.StopOnError(**{"threshold": 0.1, **arguments})


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
    with pytest.raises(ValueError, match=r'`mode` must be one of "auto", "min", "max"\. Received: mode=.down'):
        kt.callbacks.StopOnError(0.1, mode="down")


def test_a_metric_whose_name_does_not_decide_needs_a_mode(blobs, classifier):
    """`auto` asks once the metric is known to exist; a mode that is said is taken."""
    stop = kt.callbacks.StopOnError(0.1, monitor="wobble")
    with pytest.raises(ValueError, match='`mode` must be "min" or "max" for a metric of this name'):
        stop.update(wobble=0.2)
    assert Target("wobble", 0.1, "max").reason(0.2) == "wobble 0.2 > 0.1"
    model = classifier()
    metrics = [keras.metrics.MeanMetricWrapper(wobble, name="wobble")]
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=metrics, run_eagerly=True)
    with pytest.raises(ValueError, match='`mode` must be "min" or "max" for a metric of this name'):
        fit(model, *blobs, kt.callbacks.StopOnError(0.1, monitor="val_wobble"))


def wobble(y_true, y_pred):
    """Return a metric that neither falls nor rises."""
    return keras.ops.sum(y_pred, axis=-1)


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("monitor", "meant"), [("val_los", "val_loss"), ("los", "loss"), ("acuracy", "accuracy"), ("Loss_", "loss")]
)
def test_a_typo_is_an_error_after_the_first_batch(monitor, meant, blobs, compiled):
    """It is said to be unknown, with the nearest name, before anything asks for a mode."""
    model = compiled(**ACCURACY)
    with pytest.raises(ValueError, match=rf"metric of this training: accuracy, loss.*Did you mean '{meant}'\?"):
        fit(model, *blobs, kt.callbacks.StopOnError(0.1, monitor=monitor), batch_size=10, validation_data=blobs)
    assert int(model.optimizer.iterations) == 1


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("root_mean_squared_error", "min"),
        ("sparse_categorical_crossentropy", "min"),
        ("kl_divergence", "min"),
        ("mae", "min"),
        ("false_positives", "min"),
        ("accuracy", "max"),
        ("val_top_k_categorical_accuracy", "max"),
        ("auc", "max"),
        ("auc_1", "max"),
        ("f1_score", "max"),
        ("recall", "max"),
        ("precision_at_recall", "max"),
        ("mean_io_u", "max"),
        ("cosine_similarity", "max"),
        ("error_accuracy", "max"),
        ("val_loss_auc", "max"),
        ("accuracy_loss", "min"),
        ("accuracy_mae", "min"),
        ("val_precision_error", "min"),
        ("learning_rate", None),
        ("accuracy_gap", None),
        ("loss_ratio", None),
    ],
)
def test_the_end_of_a_name_decides_the_direction(metric, expected):
    """The metric's own part decides, whatever the output in front of it is called; or nothing does."""
    assert direction(metric) == expected


@pytest.mark.parametrize(
    "metric", [one for one in vars(keras.metrics).values() if isinstance(one, type) and one.__name__[0].isupper()]
)
def test_no_metric_of_keras_goes_the_wrong_way(metric):
    """Errors, losses and false answers fall, and whatever else Keras names rises, or has no direction."""
    name = keras.src.utils.naming.to_snake_case(metric.__name__)
    falls = ("error", "hinge", "crossentropy", "divergence", "poisson", "false_negatives", "false_positives")
    assert direction(name) in (("min", None) if name.endswith(falls) else ("max", None))


def test_the_accuracy_of_an_output_called_error_rises():
    """A stop above 0.95 is none at 0.4."""
    inputs = keras.Input((4,))
    outputs = [
        keras.layers.Dense(3, activation="softmax", name="error")(inputs),
        keras.layers.Dense(1, name="b")(inputs),
    ]
    model = keras.Model(inputs, outputs)
    losses, metrics = ["sparse_categorical_crossentropy", "mse"], [["accuracy"], ["mae"]]
    model.compile("sgd", losses, metrics=metrics, run_eagerly=True)
    stop = kt.callbacks.StopOnError(0.95, monitor="error_accuracy", verbose=0)
    model.fit(np.ones((9, 4)), [np.arange(9) % 3, np.ones((9, 1))], epochs=2, verbose=0, callbacks=[stop])
    assert stop.reason is None


@pytest.mark.slow
def test_a_metric_with_a_number_for_each_class_is_named(blobs, classifier):
    """The error names the metric and its shape, and how to average it."""
    model, y = classifier(), np.eye(3)[blobs[1]]
    model.compile("sgd", "categorical_crossentropy", metrics=[keras.metrics.F1Score()], run_eagerly=True)
    with pytest.raises(ValueError, match=r"`f1_score` must be one number.*macro.*of shape \(3,\)"):
        fit(model, blobs[0], y, kt.callbacks.StopOnError(0.9, monitor="f1_score"))


@pytest.mark.parametrize("value", [None, "0.04", [0.04], {}])
def test_a_metric_is_a_number(value):
    """In a loop of one's own, anything else is an error that names it."""
    with pytest.raises(TypeError, match=r"`loss` must be a number\. Received: loss="):
        kt.callbacks.StopOnError(0.1).update(loss=value)


@pytest.mark.parametrize("value", [np.float32(0.04), np.array([0.04]), tf.constant(0.04), tf.constant([[0.04]])])
def test_a_tensor_of_one_number_is_a_number(value):
    """Whatever holds it."""
    assert kt.callbacks.StopOnError(0.1, verbose=0).update(loss=value)


@pytest.mark.sample(1)
@pytest.mark.parametrize(("threshold", "monitor"), [(99, "accuracy"), (1.0, "accuracy"), (1.5, "val_accuracy")])
def test_a_threshold_out_of_reach_is_one_note(threshold, monitor, blobs, compiled):
    """Accuracies end at 1, which a strict comparison cannot pass."""
    stop = kt.callbacks.StopOnError(threshold, monitor=monitor)
    with pytest.warns(UserWarning, match=f"{monitor} is never above 1") as warned:
        fit(compiled(**ACCURACY), *blobs, stop, epochs=3, validation_data=blobs)
    assert len(warned) == 1


def test_an_accuracy_in_per_cent_may_pass_99():
    """What exceeds 1 already has another scale, and is no reason for a note."""
    stop = kt.callbacks.StopOnError(99, monitor="accuracy", verbose=0)
    assert [stop.update(accuracy=value) for value in (40.0, 99.5)] == [False, True]


def test_a_reason_does_not_contradict_itself():
    """A value just below the threshold is given all its digits."""
    assert Target("loss", 0.05).reason(0.0499999) == "loss 0.0499999 < 0.05"


def test_the_comparison_is_strict():
    """A value equal to the threshold is not below it."""
    assert Target("loss", 0.5).reason(0.5) is None
    assert Target("loss", 0.5).reason(0.49) is not None


@pytest.mark.slow
def test_what_was_judged_is_a_table(blobs, compiled):
    """A row an epoch and metric, with the history's values; a new training starts a new one."""
    stop = kt.callbacks.StopOnError({"loss": -1.0, "val_accuracy": 0.9}, verbose=0)
    history = fit(compiled(**ACCURACY), *blobs, stop, epochs=3, validation_data=blobs)
    expected = kt.measure.history_table(history).query("metric in ['loss', 'val_accuracy']")
    expected = expected.sort_values(["epoch", "metric"], ignore_index=True)
    pd.testing.assert_frame_equal(stop.frame, expected)
    fit(compiled(**ACCURACY), *blobs, stop, epochs=1, validation_data=blobs)
    assert stop.frame["epoch"].unique().tolist() == [0]


def test_batches_that_were_judged_are_a_table():
    """Its column `step` counts the batches of each epoch from 0; a figure counts them from 1, over the epochs."""
    stop = kt.callbacks.StopOnError(0.1, per="batch", verbose=0)
    assert list(stop.frame) == ["epoch", "step", "metric", "value"]
    for epoch, loss in ((0, 0.5), (0, 0.4), (1, 0.3)):
        stop.update(epoch=epoch, loss=loss)
    assert stop.frame.values.tolist() == [[0, 0, "loss", 0.5], [0, 1, "loss", 0.4], [1, 0, "loss", 0.3]]
    line = stop.plot().get_lines()[0]
    assert line.get_xydata().tolist() == [[1, 0.5], [2, 0.4], [3, 0.3]]
    assert line.axes.get_xlabel() == "batches trained"


def test_a_figure_shows_the_metric_and_its_threshold():
    """Of several metrics the first unless another one is named; in the axes that are given."""
    stop = kt.callbacks.StopOnError({"loss": 0.1, "accuracy": 0.9}, verbose=0)
    with pytest.raises(ValueError, match="no epoch was judged yet"):
        stop.plot()
    for loss in (0.5, 0.2, 0.05):
        stop.update(loss=loss, accuracy=1 - loss)
    ax = stop.plot()
    curve, threshold = ax.get_lines()
    assert curve.get_xydata().tolist() == [[1, 0.5], [2, 0.2], [3, 0.05]]
    assert (set(threshold.get_ydata()), [name.get_text() for name in ax.texts]) == ({0.1}, ["target 0.1"])
    other = plt.figure().subplots()
    assert stop.plot("accuracy", ax=other) is other
    assert other.get_ylabel() == "training accuracy"
    with pytest.raises(ValueError, match='`metric` must be one of "loss", "accuracy"'):
        stop.plot("val_loss")


def test_a_shell_shows_the_rule_and_why_it_stopped():
    """And the head of the table of what was judged."""
    stop = kt.callbacks.StopOnError({"loss": 0.1, "accuracy": 0.9}, require="any", verbose=0)
    assert repr(stop) == "StopOnError(loss < 0.1 or accuracy > 0.9): nothing judged yet"
    stop.update(loss=0.5, accuracy=0.5)
    assert repr(stop).splitlines()[0] == "StopOnError(loss < 0.1 or accuracy > 0.9): no stop, epoch 1 was the last"
    stop.update(loss=0.05, accuracy=0.5)
    shown = repr(stop).splitlines()
    assert shown[0] == "StopOnError(loss < 0.1 or accuracy > 0.9): Epoch 2: loss 0.05 < 0.1"
    assert shown[1].split() == ["epoch", "metric", "value"]
    assert shown[-1] == "Next: .plot(), .frame"
