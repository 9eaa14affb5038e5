"""StopOnError with Keras on another backend: a stop at a batch's own loss, held against NumPy."""

import keras
import numpy as np
import pytest

import kerasteach as kt

X = np.random.default_rng(0).normal(size=(55, 1)).astype("float32")  # batches of 8, and one of 7


def model(**options):
    """Return a compiled network of one weight, which starts at 0 and shall become 2."""
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((1,)), dense])
    model.compile(kt.optimizers.PlainSGD(0.01), "mse", **options)
    return model


def own_losses(epochs):
    """Return each batch's own loss, in NumPy."""
    w, losses = 0.0, []
    for _ in range(epochs):
        for start in range(0, 55, 8):
            x = X[start : start + 8, 0].astype("float64")
            losses.append(np.mean((2 * x - w * x) ** 2))
            w -= 0.01 * np.mean(-2 * x * (2 * x - w * x))
    return losses


def stops(path, **options):
    """Have the stop be at the first batch whose own loss is below, also in a second fit."""
    losses = own_losses(5)
    threshold = sorted(losses)[3] * 1.0001
    first = next(number for number, loss in enumerate(losses) if loss < threshold)
    assert first % 7 < 6  # not the last of its epoch, so that it matters
    stop = kt.callbacks.StopOnError(threshold, per="batch", verbose=0)
    network = model(**options)
    for _ in range(2):
        network.set_weights([np.zeros((1, 1))])
        network.fit(X, 2 * X, batch_size=8, epochs=5, shuffle=False, verbose=0, callbacks=[stop])
        assert (stop.epoch, stop.step) == divmod(first, 7), stop.reason
        np.testing.assert_allclose(stop.value, losses[first], rtol=1e-4)
    network.save(path)
    keras.saving.load_model(path)


def test_a_stop_is_at_the_first_batch_whose_own_loss_is_below(tmp_path):
    """With a step an execution."""
    stops(tmp_path / "model.keras")


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX has several steps an execution")
def test_a_stop_within_an_execution_names_the_batch(tmp_path):
    """With three steps an execution."""
    stops(tmp_path / "model.keras", steps_per_execution=3)


def judged(*others, **options):
    """Return each loss that a stop judges in two epochs, with other callbacks in front of it or behind it."""
    found = []
    for first in (True, False):
        stop, losses = kt.callbacks.StopOnError(-1.0, per="batch"), []
        judge = stop._judge
        stop._judge = lambda metrics, step, judge=judge, losses=losses: (
            losses.append(metrics["loss"]) or judge(metrics, step)
        )
        callbacks = [*others, stop] if first else [stop, *others]
        model().fit(X, 2 * X, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=callbacks, **options)
        found.append(losses)
    return found


class Between(keras.callbacks.Callback):
    """Do something to the model after a batch, and as an epoch begins."""

    def __init__(self, after_batch=lambda model: None, before_epoch=lambda model: None):
        super().__init__()
        self.after_batch, self.before_epoch = after_batch, before_epoch

    def on_train_batch_end(self, batch, logs=None):
        """After each batch."""
        self.after_batch(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        """Before the second epoch."""
        if epoch:
            self.before_epoch(self.model)


def test_evaluations_are_not_judged():
    """Evaluations in between, of another loss, are never judged."""
    evaluates = Between(lambda model: model.evaluate(X[:9], 50 * X[:9], batch_size=3, verbose=0))
    for losses in judged(evaluates, validation_data=(X, 9 * X)):
        np.testing.assert_allclose(losses, own_losses(2), rtol=1e-4)


def test_a_compilation_in_mid_fit_changes_nothing():
    """After a compilation in mid-fit the stop judges on, and a capture records on."""

    def compile_anew(model):
        model.compile(kt.optimizers.PlainSGD(0.01), "mse")
        model.optimizer.build(model.trainable_variables)
        model.make_train_function()

    capture = kt.callbacks.GradientCapture(raw={"*": [0, 8]})
    for losses in judged(Between(before_epoch=compile_anew), capture):
        np.testing.assert_allclose(losses, own_losses(2), rtol=1e-4)
        assert capture.frame["step"].tolist() == list(range(14))
        assert list(capture.raw) == [0, 8]


def test_an_epoch_is_judged_by_its_mean():
    """An epoch is judged by its mean."""
    stop = kt.callbacks.StopOnError(3.0, verbose=0)
    losses = model().fit(X, 2 * X, batch_size=8, epochs=50, shuffle=False, verbose=0, callbacks=[stop]).history["loss"]
    assert losses[-1] < 3.0 <= min(losses[:-1])
