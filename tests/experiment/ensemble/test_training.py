import subprocess
import sys
from functools import partial

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import kerasteach as kt
from kerasteach.experiment.batch_order import batches, orders
from kerasteach.experiment.ensemble.eligibility import can_train_together, group_size
from kerasteach.experiment.ensemble.training import train_together
from kerasteach.experiment.ensemble.weight_table import WeightTable
from kerasteach.experiment.networks import Network, Plan
from kerasteach.experiment.training import train_separately
from kerasteach.measure import statistics

ONE_STEP, ONE_EPOCH = 1e-6, 1e-4  # how much float32 numbers may differ, relatively, after so much training


def mlp(activation, seed):
    """Build a small network."""
    return kt.models.mlp(activation, (5,), inputs=4, outputs=3, seed=seed, dtype="float32")


def network(config, seed):
    """Build a model, with first weights that differ from seed to seed and layer to layer."""
    model = keras.Sequential.from_config(config)
    random = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        variable.assign(random.normal(size=variable.shape) * 0.5)
    return model


def copies_of(build, variants=("tanh",), seeds=(0, 1)):
    """Return a copy for each variant and seed."""
    return [
        Network({"activation": name, "seed": seed}, seed, partial(build, name, seed))
        for name in variants
        for seed in seeds
    ]


def layered(layers):
    """Return two copies of a network of these layers."""
    config = keras.Sequential([keras.Input((4,)), *layers], name="network").get_config()
    return copies_of(lambda name, seed: network(config, seed))


@pytest.fixture(scope="module")
def data():
    """Return 52 examples to train on, of three classes: at batches of 16, the last one is smaller."""
    y = np.arange(60) % 3
    x = (np.random.default_rng(0).normal(size=(60, 4)) + 2 * np.eye(3, 4)[y]).astype("float32")
    return kt.datasets.Dataset("blobs", x[:52], y[:52].astype("int32"), x[52:], y[52:].astype("int32"), ("a", "b", "c"))


def objection(plan, networks):
    """Say why networks cannot be trained in one graph: of each variant, one is looked at."""
    firsts = {network.variant: network for network in reversed(networks)}
    return can_train_together(plan, [network.build() for network in firsts.values()])


def plan_for(data, optimizer=None, epochs=2, batch_size=16, error_below=None, every="epoch", names=statistics.DEFAULT):
    """Return a plan."""
    optimizer = keras.optimizers.serialize(optimizer or kt.optimizers.PlainSGD(0.2))
    return Plan(data, optimizer, epochs, batch_size, error_below, every, names)


def together(plan, copies):
    """Train copies together, unwatched."""
    return train_together(plan, copies, lambda copy, epoch: None)


def alone(plan, copies, epochs=None):
    """Train networks one after the other by Keras's own `fit`: for each its history, its gradients, its weights.

    Those of one variant are trained in one compiled model, which starts each time from what it was at first; `epochs`
    has a number for each network.
    """
    variant = None
    for copy, epochs_of_copy in zip(copies, epochs or [plan.epochs] * len(copies), strict=True):
        if copy.variant != variant:
            variant, model = copy.variant, copy.build()
            states = list(model.variables)
            loss = "sparse_categorical_crossentropy" if plan.dataset.classes else kt.losses.HalfSquaredError()
            metrics = ["accuracy"] if plan.dataset.classes else []
            model.compile(keras.optimizers.deserialize(plan.optimizer), loss, metrics=metrics, jit_compile=False)
            model.optimizer.build(model.trainable_variables)
            fresh = [variable.numpy() for variable in model.optimizer.variables]
            capture = kt.callbacks.GradientCapture(every="epoch" if plan.every == "epoch" else 1)
        firsts = [variable.numpy() for variable in copy.build().variables] + fresh
        for variable, value in zip([*states, *model.optimizer.variables], firsts, strict=True):
            variable.assign(value)
        with capture:
            history = model.fit(
                batches(plan.dataset, copy.seed, plan.batch_size, epochs_of_copy),
                steps_per_epoch=-(-len(plan.dataset.x_train) // plan.batch_size),
                epochs=epochs_of_copy,
                validation_data=(plan.dataset.x_test, plan.dataset.y_test),
                verbose=0,
                shuffle=False,
                callbacks=[capture],
            )
        weights = {one.path: one.numpy() for one in model.weights}
        yield kt.measure.history_table(history), capture.frame, weights


def rows_of(frame, copy):
    """Return a copy's rows, without its keys."""
    chosen = np.logical_and.reduce([frame[name] == value for name, value in copy.keys.items()])
    return frame[chosen].drop(columns=list(copy.keys)).reset_index(drop=True)


@pytest.fixture(scope="module")
def both(data):
    """Return a plan with all statistics, copies of two activations, and what became of them together."""
    plan, copies = plan_for(data, names=statistics.ALL), copies_of(mlp, ("tanh", "relu"))
    return plan, copies, together(plan, copies)


def assert_as_alone(plan, copies, tolerance=ONE_EPOCH):
    """Every number of every copy is that of a plain `fit`: weights, history, gradients."""
    trained = together(plan, copies)
    for copy, weights, (history, gradients, expected) in zip(copies, trained.weights, alone(plan, copies), strict=True):
        close = {"rtol": tolerance, "atol": tolerance}
        pd.testing.assert_frame_equal(rows_of(trained.history, copy), history, **close)
        pd.testing.assert_frame_equal(rows_of(trained.gradients, copy), gradients, **close)
        assert list(weights) == list(expected)
        for path, values in expected.items():
            np.testing.assert_allclose(weights[path], values, err_msg=path, **close)
    return trained


OPTIMIZERS = {
    "plain": lambda: kt.optimizers.PlainSGD(0.2),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.02),
    "decay": lambda: keras.optimizers.AdamW(0.02, weight_decay=0.1, clipvalue=0.01),
    "schedule": lambda: keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.2, 8)),
    "accumulated": lambda: keras.optimizers.SGD(0.2, gradient_accumulation_steps=2),
    "ftrl": lambda: keras.optimizers.Ftrl(0.2),
    "lion": lambda: keras.optimizers.Lion(0.001),
    "scaled": lambda: keras.optimizers.SGD(0.2, loss_scale_factor=4.0),
}


SLOW = pytest.mark.slow


@pytest.mark.parametrize("name", ["momentum", pytest.param("plain", marks=SLOW), pytest.param("adam", marks=SLOW)])
def test_one_step_is_that_of_plain_fits(data, name):
    """Different activations and seeds side by side: after one step all numbers are those of separate fits."""
    plan = plan_for(data, OPTIMIZERS[name](), epochs=1, batch_size=52, every=1)
    assert_as_alone(plan, copies_of(mlp, ("sigmoid", "relu")), ONE_STEP)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adam", pytest.param("plain", marks=SLOW)])
def test_epochs_are_those_of_plain_fits(data, name):
    """So they are after two epochs, whose last batches are smaller."""
    assert_as_alone(plan_for(data, OPTIMIZERS[name]()), copies_of(mlp, ("sigmoid", "relu")))


@SLOW
@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"plain", "adam"}))
def test_other_optimizers_are_those_of_plain_fits(data, name):
    """Momentum, decay, clipping of entries, schedules, accumulation and loss scaling work entry by entry, too."""
    plan = plan_for(data, OPTIMIZERS[name]())
    assert objection(plan, copies_of(mlp)) is None
    assert_as_alone(plan, copies_of(mlp))


@pytest.mark.slow
def test_variants_may_come_in_any_order(data):
    """Copies that are mixed up come back, and are counted, in the order in which they were given."""
    tidy = copies_of(mlp, ("tanh", "relu"))
    mixed = [tidy[index] for index in (2, 1, 3, 0)]
    seen = []
    trained = train_together(plan_for(data), mixed, lambda copy, epoch: seen.append((copy, epoch)))
    expected = together(plan_for(data), tidy)
    assert sorted(seen) == [(copy, epoch) for copy in range(4) for epoch in range(2)]
    order = trained.history[["activation", "seed"]].drop_duplicates().values.tolist()
    assert order == [list(copy.keys.values()) for copy in mixed]
    for copy, weights in zip(mixed, trained.weights, strict=True):
        theirs = expected.weights[tidy.index(copy)]["mlp/output/kernel"]
        np.testing.assert_allclose(weights["mlp/output/kernel"], theirs, rtol=ONE_EPOCH, atol=ONE_EPOCH)
        rows = rows_of(trained.gradients, copy), rows_of(expected.gradients, copy)
        pd.testing.assert_frame_equal(*rows, rtol=ONE_EPOCH, atol=ONE_EPOCH)


@pytest.mark.slow
def test_weights_that_are_drawn_are_those_that_are_built(data):
    """`Network.draw` spares building the networks, and changes no digit."""
    built = copies_of(mlp, ("tanh",), (3, 4))
    drawn = [Network(one.keys, one.seed, one.build, partial(kt.models.draw_weights, seed=one.seed)) for one in built]
    one, other = together(plan_for(data), built), together(plan_for(data), drawn)
    pd.testing.assert_frame_equal(one.history, other.history, check_exact=True)


def test_the_orders_are_those_of_the_batches(data):
    """A seed has one order of the examples, in whichever way its network is trained."""
    numbered = kt.datasets.Dataset("numbers", np.arange(52.0)[:, None], data.x_train, np.zeros((1, 1)), data.x_test[:1])
    seen = np.concatenate([x.numpy()[:, 0] for x, _ in batches(numbered, 7, 16, 2)])
    order = orders(7, 52)
    np.testing.assert_array_equal(seen, np.concatenate([next(order), next(order)]))


@pytest.mark.slow
def test_a_regression_is_that_of_plain_fits(data):
    """Half the squared error, and no accuracy."""
    random = np.random.default_rng(0)
    targets = random.normal(size=(60, 2)).astype("float32")
    regression = kt.datasets.Dataset("regression", data.x_train, targets[:52], data.x_test, targets[52:])
    layers = [keras.layers.Dense(5, "tanh"), keras.layers.Dense(2)]
    trained = assert_as_alone(plan_for(regression), layered(layers))
    assert set(trained.history["metric"]) == {"loss", "val_loss"}


@pytest.mark.slow
def test_batch_normalization_has_statistics_of_each_copy(data):
    """The moving mean and variance are weights of each copy, and used in testing."""
    assert_as_alone(
        plan_for(data),
        layered(
            [
                keras.layers.Dense(5, "relu"),
                keras.layers.BatchNormalization(momentum=0.5),
                keras.layers.Dense(3, "softmax"),
            ]
        ),
    )


@pytest.mark.slow
def test_penalties_belong_to_the_loss(data):
    """What regularizers add is in the loss and in the gradient of each copy."""
    assert_as_alone(
        plan_for(data),
        layered(
            [
                keras.layers.Dense(5, "tanh", kernel_regularizer="l2", activity_regularizer="l1"),
                keras.layers.Dense(3, "softmax"),
            ]
        ),
    )


@pytest.mark.slow
def test_layers_that_are_not_trained_stay(data):
    """A layer with `trainable=False` has no gradient, and keeps its weights."""
    first = keras.layers.Dense(5, "tanh", kernel_initializer=keras.initializers.GlorotUniform(seed=1), trainable=False)
    trained = assert_as_alone(plan_for(data), layered([first, keras.layers.Dense(3, "softmax")]))
    assert trained.gradients["layer"].nunique() == 1


@pytest.fixture
def words(data):
    """Return sequences of four words out of six."""
    x = np.random.default_rng(0).integers(0, 6, size=(60, 4)).astype("float32")
    return kt.datasets.Dataset("words", x[:52], data.y_train, x[52:], data.y_test, ("a", "b", "c"))


@pytest.mark.slow
def test_embedding_and_lstm_are_those_of_plain_fits(words):
    """Sparse gradients, and loops inside the network."""
    assert_as_alone(
        plan_for(words, epochs=1),
        layered([keras.layers.Embedding(6, 3), keras.layers.LSTM(4), keras.layers.Dense(3, "softmax")]),
    )


@pytest.mark.slow
def test_convolution_and_dropout_run_copy_by_copy(data):
    """What has no vectorized form gives the same numbers; each copy has a stream of its own for dropout."""
    plan = plan_for(data, epochs=1)

    def build(name, seed):
        layers = [
            keras.layers.Reshape((2, 2, 1), name="reshape"),
            keras.layers.Conv2D(3, 2, activation="relu", name="convolution"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dropout(0.5, seed=seed, name="dropout"),
            keras.layers.Dense(3, "softmax", name="output"),
        ]
        return network(keras.Sequential([keras.Input((4,)), *layers], name="network").get_config(), seed)

    copies = copies_of(build)
    assert objection(plan, copies) is None
    assert_as_alone(plan, copies)


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "optimizer", [kt.optimizers.PlainSGD(0.2), pytest.param(keras.optimizers.Adam(0.05), marks=SLOW)]
)
def test_a_copy_below_the_error_is_frozen(data, optimizer):
    """It ends at its first epoch below, with the weights of then, while the others go on."""
    copies = copies_of(mlp, seeds=(0, 3))
    plan = plan_for(data, optimizer, epochs=6, error_below=0.62)
    trained = together(plan, copies)
    lengths = []
    for copy in copies:
        losses = rows_of(trained.history, copy).query("metric == 'loss'")["value"].to_numpy()
        assert (losses[:-1] >= 0.62).all()
        assert losses[-1] < 0.62
        lengths.append(len(losses))
        assert rows_of(trained.gradients, copy)["epoch"].max() == len(losses) - 1
    assert lengths == [2, 4]
    for weights, (_, _, expected) in zip(trained.weights, alone(plan, copies, lengths), strict=True):
        np.testing.assert_allclose(weights["mlp/output/kernel"], expected["mlp/output/kernel"], rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_the_statistics_of_a_frozen_copy_stay_too(data):
    """A batch normalization forgets what it saw after its copy came to its end."""
    layers = [keras.layers.BatchNormalization(), keras.layers.Dense(3, "softmax")]
    copies = layered(layers)
    plan = plan_for(data, epochs=6, error_below=1.0)
    trained = together(plan, copies)
    ends = [rows_of(trained.history, copy)["epoch"].max() + 1 for copy in copies]
    assert ends[0] != ends[1]
    for weights, (_, _, expected) in zip(trained.weights, alone(plan, copies, ends), strict=True):
        for path in expected:
            np.testing.assert_allclose(weights[path], expected[path], rtol=1e-3, atol=1e-3)


def test_training_ends_with_the_last_copy(data):
    """No epoch is trained once all are below the error."""
    epochs = []
    train_together(
        plan_for(data, epochs=50, error_below=10.0, every=None),
        copies_of(mlp),
        lambda copy, epoch: epochs.append(epoch),
    )
    assert epochs == [0, 0]


def test_a_copy_that_diverges_leaves_the_others_alone(data, both):
    """NaN in one copy's weights is in no number of another."""

    def build(name, seed):
        model = mlp("relu", seed)
        if name == "sick":
            model.layers[0].bias.assign([np.nan, *4 * [0.0]])
        return model

    _, _, healthy = both
    trained = together(plan_for(data), copies_of(build, ("sick", "relu")))
    well = healthy.history.query("activation == 'relu'").reset_index(drop=True)
    sick = trained.history["activation"] == "sick"
    assert trained.history[sick & (trained.history["metric"] == "loss")]["value"].isna().all()
    pd.testing.assert_frame_equal(trained.history[~sick].reset_index(drop=True), well, rtol=ONE_EPOCH, atol=ONE_EPOCH)
    finite = trained.gradients.groupby("activation")["finite"].all()
    assert finite.to_dict() == {"sick": False, "relu": True}


@pytest.mark.slow
def test_the_same_call_gives_the_same_tables_and_leaves_the_callers_state(both):
    """On the CPU, to the last digit, whatever global random states and dtype policy there are; they stay."""
    plan, copies, one = both
    keras.config.set_dtype_policy("mixed_float16")
    keras.utils.set_random_seed(7)
    after = np.random.default_rng(0), float(tf.random.uniform(())), np.random.random()
    keras.utils.set_random_seed(7)
    other = together(plan, copies)
    assert (float(tf.random.uniform(())), np.random.random()) == after[1:]
    assert keras.config.dtype_policy().name == "mixed_float16"
    pd.testing.assert_frame_equal(one.history, other.history, check_exact=True)
    pd.testing.assert_frame_equal(one.gradients, other.gradients, check_exact=True)


@pytest.mark.slow
def test_the_work_runs_where_it_was_asked_to():
    """On the second of two logical CPUs, all variables of the copies lie there, and training runs."""
    code = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras, kerasteach as kt
from functools import partial
from kerasteach.experiment.networks import Network, Plan
from kerasteach.experiment.training import train_separately
from kerasteach.experiment.ensemble import training as replicas
seen = set()
class Spy(replicas.Replicas):
    def test_means(self):
        seen.update(one.value.device[-5:] for one in (self.table, self.order, self.frozen))
        return super().test_means()
replicas.Replicas = Spy
build = partial(kt.models.mlp, hidden=(3,), inputs=4, outputs=3, seed=0)
plan = Plan(kt.datasets.load("iris"), keras.optimizers.serialize(kt.optimizers.PlainSGD(0.1)), 1, 32, None, "epoch")
with kt.devices.scope("cpu:1"):
    trained = replicas.train_together(plan, [Network({"seed": 0}, 0, build)], lambda copy, epoch: None)
print(len(trained.gradients), seen)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "4 {'CPU:1'}", done.stderr


def test_without_capture_there_are_no_gradients(data):
    """The table is empty, and has its columns."""
    trained = together(plan_for(data, every=None), copies_of(mlp))
    assert trained.gradients.empty
    assert list(trained.gradients)[:5] == ["activation", "seed", "epoch", "step", "layer"]


def test_copies_of_different_shapes_are_refused(data):
    """The error comes before anything is trained."""
    copies = copies_of(lambda name, seed: kt.models.mlp(hidden=(seed + 2,), inputs=4, outputs=3, seed=seed))
    with pytest.raises(ValueError, match="trainable variables of the same shapes"):
        together(plan_for(data), copies)


class Own(keras.layers.Layer):
    """A layer that nobody knows."""

    def call(self, x):
        """Return x."""
        return x


@pytest.mark.parametrize(
    ("optimizer", "reason"),
    [
        (keras.optimizers.Adam(clipnorm=1.0), "Adam with clipnorm does not work entry by entry"),
        (keras.optimizers.SGD(global_clipnorm=1.0), "SGD with global_clipnorm"),
        (keras.optimizers.Adafactor(), "Adafactor does not work"),
        (keras.optimizers.Lamb(), "Lamb does not work"),
        (keras.optimizers.Muon(), "Muon does not work"),
        (keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()), "LossScaleOptimizer does not work"),
        (keras.optimizers.SGD(use_ema=True), "SGD with use_ema"),
    ],
)
def test_optimizers_that_mix_entries_train_separately(data, optimizer, reason):
    """The reason names the optimizer and the option."""
    assert reason in objection(plan_for(data, optimizer), copies_of(mlp))


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ([Own(name="mine"), keras.layers.Dense(3)], "The layer mine is a Own"),
        ([keras.layers.Lambda(lambda x: x, name="any"), keras.layers.Dense(3)], "The layer any is a Lambda"),
        ([kt.layers.GradientProbe(name="probe"), keras.layers.Dense(3)], "The layer probe is a GradientProbe"),
        ([keras.layers.Dense(3, kernel_constraint="unit_norm")], "kernel has a constraint"),
        ([keras.layers.Dense(3, dtype="mixed_float16", name="half")], "The layer half has the dtype policy"),
        ([keras.layers.Softmax()], "nothing to train"),
    ],
)
def test_networks_that_may_do_more_train_separately(data, layers, reason):
    """The reason names the layer or the weight."""
    model = keras.Sequential([keras.Input((4,)), *layers])
    assert reason in objection(plan_for(data), copies_of(lambda name, seed: model))


def test_architectures_that_differ_train_separately(data):
    """Weights of other shapes have no place in the same table."""
    copies = copies_of(lambda width, seed: kt.models.mlp(hidden=(width,), inputs=4, outputs=3, seed=seed), (2, 3))
    assert "differ in the shapes" in objection(plan_for(data), copies)


def test_what_can_be_trained_together_has_no_reason_against(data):
    """Plain networks of different activations."""
    assert objection(plan_for(data), copies_of(mlp, ("tanh", "relu"))) is None


def test_the_group_is_smaller_where_a_copy_is_larger(data):
    """A thousand million numbers do not fit; small networks fit in any number that is worth it."""
    small, large = mlp("tanh", 0), kt.models.mlp(hidden=(3000, 3000), inputs=4, outputs=3)
    assert group_size(plan_for(data), small) > 30
    assert 1 <= group_size(plan_for(data), large) < 10


def test_the_table_gives_back_what_was_packed():
    """Variables of any shape, also of one number, copy by copy and part by part."""
    random = np.random.default_rng(0)
    shapes = [(3, 40), (40,), (), (2, 2, 8)]
    weights = [[random.normal(size=shape).astype("float32") for shape in shapes] for _ in range(5)]
    table = WeightTable(5, shapes)
    packed = table.pack(weights)
    assert packed.shape == table.shape
    parts = table.unpack(tf.constant(packed), [2, 3])
    for number in range(len(shapes)):
        found = np.concatenate([part[number] for part in parts])
        np.testing.assert_array_equal(found, np.stack([one[number] for one in weights]))


def test_statistics_of_a_table_are_those_of_each_tensor():
    """Of vanished, exploded and broken tensors too, each without the others' doing."""
    random = np.random.default_rng(0)
    tensors = [random.normal(size=(7, 6)), 1e-30 * random.normal(size=40), np.full(3, 1e30), [np.nan, 1.0]]
    weights = [np.asarray(one, "float32") for one in tensors]
    table = WeightTable(1, [one.shape for one in weights])
    names = ["norm", "mean", "std", "finite", "mean_abs", "max_abs", "zero_fraction"]
    weights[2][1] = 0
    measured = statistics.measure_stacked(names, table.pack([weights]), table.owners, table.sizes)
    found = statistics.finish(names, measured.numpy())
    for row, one in zip(found, weights, strict=True):
        one = one.astype("float64")
        expected = [np.linalg.norm(one), one.mean(), one.std(), np.isfinite(one).all()]
        expected += [np.abs(one).mean(), np.abs(one).max(), (one == 0).mean()]
        np.testing.assert_allclose(row, expected, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("every", ["epoch", 3])
@pytest.mark.parametrize(
    "optimizer",
    [None, keras.optimizers.SGD(0.1, momentum=0.9), keras.optimizers.Adam(0.01, gradient_accumulation_steps=2)],
    ids=["plain", "momentum", "accumulation"],
)
def test_all_statistics_are_those_of_networks_alone(data, both, optimizer, every):
    """The update ratio too, whatever the optimizer."""
    plan, copies, trained = both
    if (optimizer, every) != (None, "epoch"):
        plan = plan_for(data, optimizer, every=every, names=statistics.ALL)
        trained = together(plan, copies)
    ours = trained.gradients
    theirs = train_separately(plan, copies, lambda copy, epoch: None).gradients
    assert list(ours) == list(theirs)
    numbers = [table[list(statistics.ALL)].astype("float64") for table in (ours, theirs)]
    np.testing.assert_allclose(*numbers, rtol=ONE_EPOCH, atol=1e-6)


def branch(name):
    """Build a part of a network, whose layer's weights have the same paths in each part."""
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(2, name="same")(inputs), name=name)


def branched():
    """Build a network of two such parts."""
    inputs = keras.Input((4,))
    both = keras.layers.Concatenate()([branch("left")(inputs), branch("right")(inputs)])
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="output")(both))


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("optimizer", ["sgd", "adafactor"])
def test_weights_of_one_path_are_told_apart(optimizer, tmp_path):
    """Together and separately, and on disk: none takes another's place."""
    arguments = {"data": "iris", "seeds": 1, "epochs": 1, "verbose": 0, "keep_weights": True}
    models = {"mine": branched}
    kept = kt.compare(models=models, optimizer=optimizer, **arguments, directory=tmp_path / "run").weights["mine", 0]
    shapes = [tuple(variable.shape) for variable in branched().weights]
    assert [array.shape for array in kept.values()] == shapes
    assert sum(name.endswith(" #2") for name in kept) == 2


@pytest.mark.slow
def test_labels_may_be_bytes(data, both):
    """Labels that NumPy keeps in a byte train as those of an int32 do, with the same accuracy."""
    _, copies, expected = both
    y = [one.astype("uint8") for one in (data.y_train, data.y_test)]
    small = kt.datasets.Dataset("bytes", data.x_train, y[0], data.x_test, y[1], data.classes)
    history = together(plan_for(small), copies).history
    pd.testing.assert_frame_equal(history, expected.history, rtol=ONE_EPOCH, atol=ONE_EPOCH)


@pytest.mark.parametrize("train", [train_together, train_separately])
def test_no_training_waits_for_the_tuning_of_its_batches(train, data, monkeypatch):
    """TensorFlow tunes a pipeline in a thread of its own, which the end of a training waits for."""
    seen = []
    fit = keras.Model.fit
    monkeypatch.setattr(keras.Model, "fit", lambda model, x, **options: seen.append(x) or fit(model, x, **options))
    train(plan_for(data), copies_of(mlp), lambda *place: None)
    assert {batches.options().autotune.enabled for batches in seen} == {False}
