"""`update_ratio` of every optimizer, held against the weights before and after each step in float64."""

import keras
import numpy as np
import pytest
from keras import layers, optimizers

import kerasteach as kt

random = np.random.default_rng(0)
X, Y = random.normal(size=(40, 4)).astype("float32"), np.arange(40) % 3
OPTIMIZERS = {
    "plain": lambda: kt.optimizers.PlainSGD(0.1),
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "Adam": lambda: optimizers.Adam(0.01),
    "decay and clipping": lambda: optimizers.AdamW(0.01, weight_decay=0.1, clipnorm=0.1),
    "clipping of all": lambda: optimizers.SGD(0.1, global_clipnorm=0.05),
    "accumulation": lambda: optimizers.Adam(0.01, gradient_accumulation_steps=3),
    "loss scale": lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.01), initial_scale=2.0**10),
    "moving average": lambda: optimizers.SGD(0.1, use_ema=True, ema_overwrite_frequency=3),
}


class Weights(keras.callbacks.Callback):
    """Keep the weights before the first step, and after each."""

    def on_train_begin(self, logs=None):
        """Begin."""
        self.seen = [self.now()]

    def on_train_batch_end(self, batch, logs=None):
        """Keep."""
        self.seen.append(self.now())

    def now(self):
        """Return the weights by their path, in float64."""
        return {one.path: keras.ops.convert_to_numpy(one).astype("float64") for one in self.model.trainable_variables}


def train(optimizer, every=1, constraint=None, x=X, **options):
    """Return the captured table, and the ratio of each of its rows as NumPy has it."""
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(70, activation="tanh", kernel_constraint=constraint),
            layers.Dense(60, activation="tanh"),  # 4,200 weights: a large layer's norms are computed in another way
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", **{"jit_compile": False, **options})
    capture, weights = kt.callbacks.GradientCapture(statistics=["update_ratio", "weight_norm"], every=every), Weights()
    model.fit(x, Y, batch_size=10, shuffle=False, verbose=0, callbacks=[capture, weights])
    frame, expected = capture.frame, []
    for step, path in zip(frame["step"], frame["path"], strict=True):
        before, after = weights.seen[step][path], weights.seen[step + 1][path]
        change, size = np.linalg.norm(after - before), np.linalg.norm(before)
        expected.append(change / size if size else np.inf if change else 0.0)
    return frame, np.array(expected)


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_is_the_change_of_the_weights(name):
    """With momentum, decay, clipping, scaling, averaging, and 0 where gradients are only accumulated."""
    frame, expected = train(OPTIMIZERS[name]())
    np.testing.assert_allclose(frame["update_ratio"], expected, rtol=2e-6)
    assert (frame["update_ratio"] == 0).any() == (name == "accumulation")


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("options", [{}, {"jit_compile": True}, {"run_eagerly": True}], ids=["graph", "xla", "eager"])
def test_only_the_captured_steps_are_measured(options):
    """Of every third step the numbers are those of that step, and the weight's norm is that before it."""
    frame, expected = train(OPTIMIZERS["Adam"](), every=3, **options)
    assert frame["step"].unique().tolist() == [0, 3]
    np.testing.assert_allclose(frame["update_ratio"], expected, rtol=2e-6)
    assert frame["weight_norm"].iloc[1] == 0  # a bias, before the first step


def test_a_constraint_counts():
    """Plain gradient descent with a constraint changes a weight by more than its rule."""
    frame, expected = train(kt.optimizers.PlainSGD(0.1), constraint="unit_norm")
    np.testing.assert_allclose(frame["update_ratio"], expected, rtol=2e-6)


@pytest.mark.slow
def test_a_step_that_is_skipped_changes_nothing():
    """A loss scale skips a step whose gradient is not finite: the ratio is 0 then."""
    broken = np.where(np.arange(40)[:, np.newaxis] == 15, np.nan, X)  # in the second batch
    frame, expected = train(optimizers.LossScaleOptimizer(optimizers.SGD(0.1), initial_scale=2.0**10), x=broken)
    np.testing.assert_allclose(frame["update_ratio"], expected, rtol=2e-6)
    assert frame.groupby("step")["finite"].all().tolist() == [True, False, True, True]
    assert (frame.loc[frame["step"] == 1, "update_ratio"] == 0).all()


def test_weights_are_copied_for_this_statistic_alone(monkeypatch):
    """Neither other statistics nor plain gradient descent pay for copies."""
    asked = []
    monkeypatch.setattr(
        "kerasteach.measure.hooks.gradient_source.copies", lambda weights, captured: asked.append(weights) or []
    )
    for optimizer, statistics in ((optimizers.Adam(), "weight_norm"), (kt.optimizers.PlainSGD(), "all")):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
        model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=True)
        model.fit(X, Y, verbose=0, callbacks=[kt.callbacks.GradientCapture(statistics=statistics)])
    assert asked == []


def test_a_loop_of_ones_own_has_it():
    """`record` measures it at each call of the optimizer, and the weight is what the optimizer made of it."""
    weight, optimizer = keras.Variable([3.0, 4.0]), optimizers.Adam(0.5)
    with kt.measure.record(optimizer, statistics=["update_ratio"]) as tape:
        optimizer.apply([keras.ops.ones(2)], [weight])
    assert tape.frame["update_ratio"].tolist() == pytest.approx([0.5 * 2**0.5 / 5], rel=1e-4)
