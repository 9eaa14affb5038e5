import keras
import numpy as np
import pytest

import kerasteach as kt


def by_fit(model, x, y, learning_rate, epochs, error_below, batch_size):
    """Train a model with Keras's own loop, and return its losses and the callback."""
    model.compile(kt.optimizers.PlainSGD(learning_rate), model.loss if model.compiled else kt.losses.HalfSquaredError())
    stop = kt.callbacks.StopOnError(error_below, verbose=0)
    options = {"batch_size": batch_size, "shuffle": False, "verbose": 0}
    return model.fit(x, y, epochs=epochs, callbacks=[stop], **options).history["loss"], stop


@pytest.mark.sample(1)
@pytest.mark.parametrize("batch_size", [60, 16])
def test_it_is_fit_with_plain_sgd_and_a_stop(batch_size, blobs, classifier):
    """The same batches give the same errors, weights and last epoch, with an unequal last batch too."""
    plain, twin = classifier(), classifier()
    table = kt.training_loop(plain, *blobs, 0.5, epochs=50, error_below=0.4, batch_size=batch_size)
    losses, stop = by_fit(twin, *blobs, 0.5, 50, 0.4, batch_size)
    np.testing.assert_allclose(table["value"], losses, rtol=1e-5)
    assert table["epoch"].tolist() == list(range(stop.epoch + 1))
    for one, other in zip(plain.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_without_a_batch_size_it_is_the_full_batch(blobs, classifier):
    """One update an epoch."""
    one = kt.training_loop(classifier(), *blobs, 0.5, epochs=3)
    other = kt.training_loop(classifier(), *blobs, 0.5, epochs=3, batch_size=60)
    assert one["value"].tolist() == pytest.approx(other["value"].tolist(), rel=1e-5)


@pytest.mark.slow
def test_a_seed_shuffles_each_epoch_anew(blobs, classifier):
    """The same seed repeats the run, and its batches are those of NumPy's permutations, one an epoch."""
    tables = [kt.training_loop(classifier(), *blobs, 0.5, 2, batch_size=16, seed=seed) for seed in (1, 1, 2)]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])
    x, y = blobs
    twin, random = classifier(), np.random.default_rng(1)
    for epoch in range(2):
        order = random.permutation(60)
        [loss], _ = by_fit(twin, x[order], y[order], 0.5, 1, 0.0, 16)
        assert tables[0]["value"][epoch] == pytest.approx(loss, rel=1e-5)


def test_a_model_that_was_not_compiled_has_the_courses_error():
    """On the line z = 2 x from w = 0, the first error is NumPy's mean of half the squares."""
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    x = np.linspace(-1, 1, 20)[:, np.newaxis]
    table = kt.training_loop(model, x, 2 * x, learning_rate=1.5, epochs=4)
    assert table["value"][0] == pytest.approx(np.mean(0.5 * (2 * x) ** 2))
    assert float(model.get_weights()[0][0, 0]) == pytest.approx(1.919889, abs=1e-6)  # as the course's run ends


def test_regularization_is_part_of_the_error():
    """What a layer adds to the loss is trained against, as `fit` does."""
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(1, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(1)),
        ]
    )
    model.compile("sgd", "mse")
    table = kt.training_loop(model, np.zeros((2, 1)), np.zeros((2, 1)), learning_rate=0.25, epochs=2)
    assert table["value"].tolist() == [1.0, 0.25]  # w^2, and w is halved in between


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"model": "mlp"}, TypeError, "`model` must be a Keras model"),
        ({"x": np.zeros((0, 4)), "y": np.zeros(0)}, ValueError, "one example at least"),
        ({"y": np.zeros(59)}, ValueError, r"x.shape=\(60, 4\), y.shape=\(59,\)"),
        ({"learning_rate": "fast"}, TypeError, "`learning_rate` must be a number"),
        ({"y": np.full((60, 1), "a")}, ValueError, "`x` and `y` must fit the model"),
        ({"x": None}, ValueError, "one example at least"),
        ({"learning_rate": -0.1}, ValueError, "`learning_rate` must be finite and not negative"),
        ({"epochs": 0}, ValueError, "`epochs` must be a whole number from 1"),
        ({"batch_size": 0}, ValueError, "`batch_size` must be a whole number from 1"),
        ({"error_below": float("nan")}, ValueError, "`error_below` must be finite"),
        ({"seed": -1}, ValueError, "`seed` must be a whole number from 0"),
    ],
)
def test_bad_arguments_are_refused(wrong, error, message, blobs, classifier):
    """Each error names the argument, what was received and what would work."""
    with pytest.raises(error, match=message):
        kt.training_loop(**{"model": classifier(), "x": blobs[0], "y": blobs[1], **wrong})
