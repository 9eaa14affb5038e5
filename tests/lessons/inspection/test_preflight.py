import keras
import numpy as np
import pytest

import kerasteach as kt

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int32") + (X[:, 1] > 0)


def network(activation="softmax", loss="sparse_categorical_crossentropy", optimizer="adam", **hidden):
    """Return a compiled network of two layers, one hidden, with a dropout and a normalization."""
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="relu", **hidden),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.1, seed=1),
            keras.layers.Dense(3, activation=activation),
        ]
    )
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"], run_eagerly=True)
    return model


def variables(model):
    """Return the values of all that a training changes."""
    found = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in found]


def test_a_healthy_model_has_no_finding_and_is_left_as_it_was():
    """Weights, statistics, seeds, optimizer and metrics are put back bit for bit."""
    model = network(optimizer=keras.optimizers.Adam(0.01))
    model.fit(X, Y, verbose=0)
    before = variables(model)
    found = kt.preflight(model, X, Y)
    assert list(found.frame["rule"]) == []
    for old, new in zip(before, variables(model), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.sample(1)
@pytest.mark.parametrize("loss", ["binary_crossentropy", keras.losses.BinaryCrossentropy(name="mine")])
def test_the_loss_is_known_by_name_and_as_an_object(loss):
    """Softmax with binary cross-entropy is found for both."""
    found = kt.preflight(network(loss=loss), X, np.eye(3)[Y], steps=3)
    assert found.frame["rule"].iloc[0] == "KT501"


def test_weights_that_start_alike_are_named():
    """The layer's name stands in the finding."""
    model = network(kernel_initializer="zeros", name="front")
    found = kt.preflight(model, X, Y, steps=3).frame
    assert found.loc[found["rule"] == "KT504", "layers"].item() == "front"


def test_a_batch_that_cannot_be_trained_on_is_judged_without_a_step():
    """A class without an output is an error of Keras's on some devices."""
    found = kt.preflight(network(), X, Y + 1)
    assert list(found.frame["rule"]) == ["KT502"]
    assert "KT506" not in found.looked_at


@pytest.mark.slow
def test_a_functional_model_with_logits_and_a_data_set():
    """Inputs by name, batches of a `tf.data.Dataset`, a loss that takes logits."""
    import tensorflow as tf

    inputs = keras.Input((4,), name="measured")
    model = keras.Model({"measured": inputs}, keras.layers.Dense(3)(keras.layers.Dense(8, "tanh")(inputs)))
    model.compile(keras.optimizers.Adam(0.05), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    data = tf.data.Dataset.from_tensor_slices(({"measured": X}, Y)).batch(16)
    assert not kt.preflight(model, data)


LOSSES = {"kind": "sparse_categorical_crossentropy", "size": "mse"}
TARGETS = {"kind": Y, "size": X[:, 0]}


class Forked(keras.Model):
    """A model of one's own whose outputs are a dictionary."""

    def __init__(self):
        super().__init__()
        self.kind, self.size = keras.layers.Dense(3, "softmax"), keras.layers.Dense(1)

    def call(self, inputs):
        return {"kind": self.kind(inputs), "size": self.size(inputs)}


def forked(kind="softmax", names=("kind", "size"), keys=None):
    """Return a functional model of two outputs, in a list or by keys."""
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(8, "tanh")(inputs)
    outputs = [keras.layers.Dense(3, kind, name=names[0])(hidden), keras.layers.Dense(1, name=names[1])(hidden)]
    return keras.Model(inputs, outputs if keys is None else dict(zip(keys, outputs, strict=True)))


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("model", "losses", "targets"),
    [
        (forked, list(LOSSES.values()), list(TARGETS.values())),
        (forked, LOSSES, TARGETS),
        (
            lambda: forked(names=("a", "b"), keys=("z", "c")),
            {"z": LOSSES["kind"], "c": "mse"},
            {"z": Y, "c": X[:, 0]},
        ),
        (Forked, LOSSES, TARGETS),
    ],
    ids=["lists", "names", "keys in another order", "a class of one's own"],
)
def test_of_several_outputs_each_has_its_loss_and_targets(model, losses, targets):
    """Classes and a value, given by position or by name; whoever mixed them up would find targets that do not fit."""
    built = model()
    built.compile(keras.optimizers.Adam(0.05), losses, run_eagerly=True)
    assert not kt.preflight(built, X, targets, steps=5)


def test_a_finding_names_the_output_it_is_of():
    """Sigmoid where the loss takes the values of softmax."""
    model = forked("sigmoid")
    model.compile("adam", LOSSES, loss_weights={"kind": 0.1, "size": 1.0}, run_eagerly=True)
    found = kt.preflight(model, X, TARGETS, steps=3)
    assert found.frame.query("rule == 'KT501'")["evidence"].item().startswith("output kind: the last layer's function")


def test_a_model_that_is_not_compiled_is_refused():
    """The error says what to call."""
    with pytest.raises(ValueError, match=r"call model\.compile first"):
        kt.preflight(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), X, Y)
