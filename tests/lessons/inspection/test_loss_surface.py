import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasteach as kt
from kerasteach.lessons import loss_surface as quiet_surface
from kerasteach.lessons.inspection.directions import random_directions, trajectory_directions


def loss_surface(*args, **kwargs):
    """Compute a surface without a bar."""
    return quiet_surface(*args, verbose=0, **kwargs)


@pytest.fixture
def line():
    """Return a function that builds z = w x + b with squared error, and its data on z = 2 x - 1."""

    def build(w=0.5, b=0.25):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="line")])
        model.compile(kt.optimizers.PlainSGD(0.1), "mse")
        model.set_weights([np.array([[w]]), np.array([b])])
        x = np.linspace(-1, 2, 40)
        return model, x, 2 * x - 1

    return build


@pytest.fixture(scope="module")
def network():
    """Return a compiled network with all that a loss can consist of, trained a little, and its snapshots."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(6, "tanh", kernel_regularizer=keras.regularizers.L2(0.1), name="first"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(5, "relu", activity_regularizer=keras.regularizers.L1(0.01)),
            keras.layers.Dense(3, "softmax", name="last"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    path = kt.callbacks.WeightSnapshots()
    random = np.random.default_rng(0)
    x, y = random.normal(size=(60, 4)), random.integers(3, size=60)
    model.fit(x, y, epochs=4, batch_size=16, verbose=0, callbacks=[path])
    return model, path.snapshots


def everything(model):
    """Return the bytes of every variable of a model, its optimizer and its metrics."""
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return [one.numpy().tobytes() for one in variables]


def test_the_surface_of_a_line_is_its_parabola(line):
    """Over both weights of a line, the loss is the mean squared error that float64 NumPy computes."""
    model, x, y = line()
    along = [("line/kernel", (0, 0)), ("line/bias", 0)]
    surface = loss_surface(model, x, y, along, points=7, ranges=3, batch_size=16).frame
    assert list(surface) == ["line/kernel[0, 0]", "line/bias[0]", "loss"]
    w, b = surface["line/kernel[0, 0]"].to_numpy(), surface["line/bias[0]"].to_numpy()
    np.testing.assert_allclose(w, np.repeat(0.5 + np.arange(-3, 4), 7))
    np.testing.assert_allclose(b, np.tile(0.25 + np.arange(-3, 4), 7))
    expected = np.mean((y - w[:, None] * x - b[:, None]) ** 2, axis=1)
    np.testing.assert_allclose(surface["loss"], expected, rtol=2e-6)


@pytest.mark.sample(1)
@pytest.mark.parametrize("kind", ["arrays", "weighted arrays", "tf.data", "PyDataset"])
def test_the_center_is_what_evaluate_says(kind, network, blobs):
    """With regularization, BatchNormalization, dropout and an uneven last batch, the grid's middle is evaluate's."""
    model, _ = network
    x, y = blobs
    weights = np.linspace(0, 2, len(x)) if kind == "weighted arrays" else None
    data = {"x": x, "y": y, "sample_weight": weights}
    expected = model.evaluate(**data, batch_size=16, verbose=0)[0]
    if kind == "tf.data":
        data = {"x": tf.data.Dataset.from_tensor_slices((x, y)).batch(16)}
    elif kind == "PyDataset":
        data = {"x": InBatches(x, y)}
    for along in ("random", ("first/kernel", (0, 1))):
        surface = loss_surface(model, along=along, points=3, batch_size=16, **data).frame
        assert surface["loss"].iloc[len(surface) // 2] == pytest.approx(expected, rel=1e-6)


class InBatches(keras.utils.PyDataset):
    """Batches of 16, counted."""

    def __init__(self, x, y, fail_at=None):
        super().__init__()
        self.x, self.y, self.fail_at, self.asked = x, y, fail_at, []

    def __len__(self):
        return -(-len(self.x) // 16)

    def __getitem__(self, index):
        self.asked.append(index)
        if len(self.asked) == self.fail_at:
            raise KeyboardInterrupt
        rows = slice(16 * index, 16 * (index + 1))
        return self.x[rows], self.y[rows]


def test_data_are_gone_through_once(network, blobs):
    """However many points: the first batch comes once more, to build what is not built; then each comes once."""
    data = InBatches(*blobs)
    loss_surface(network[0], data, points=5)
    assert data.asked == [0, 0, 1, 2, 3]


def test_a_surface_leaves_the_model_bit_for_bit(network, blobs):
    """Weights, statistics, seeds, optimizer and the metrics of the last evaluation are as before."""
    model, path = network
    model.evaluate(*blobs, verbose=0)
    before = everything(model)
    loss_surface(model, *blobs, trajectory=path, points=3)
    assert everything(model) == before


def test_ctrl_c_leaves_the_model_bit_for_bit(network, blobs):
    """An interruption half way changes nothing either."""
    model, _ = network
    before = everything(model)
    with pytest.raises(KeyboardInterrupt):
        loss_surface(model, InBatches(*blobs, fail_at=4), points=3)
    assert everything(model) == before


def test_it_is_compiled_once_and_not_for_each_point(blobs):
    """How often Python runs a layer's call does not depend on the number of points."""

    class Counting(keras.layers.Layer):
        calls = 0

        def call(self, x):
            Counting.calls += 1
            return x

    model = keras.Sequential([keras.Input((4,)), Counting(), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    counts = []
    for points in (3, 12):
        Counting.calls = 0
        loss_surface(model, *blobs, points=points, batch_size=30)
        counts.append(Counting.calls)
    assert counts[0] == counts[1] <= 3


def test_a_model_that_runs_eagerly_gives_the_same(line):
    """`run_eagerly` is honored."""
    surfaces = []
    for eager in (False, True):
        model, x, y = line()
        model.run_eagerly = eager
        surfaces.append(loss_surface(model, x, y, points=4).frame)
    np.testing.assert_allclose(*surfaces, rtol=1e-6)


@pytest.mark.slow
def test_a_model_with_two_inputs_and_two_outputs(blobs):
    """Inputs by name, two losses with weights: the center is evaluate's, and no metric is left filled."""
    x, y = blobs
    one, two = keras.Input((4,), name="one"), keras.Input((4,), name="two")
    joined = keras.layers.Dense(4, "tanh")(keras.layers.concatenate([one, two]))
    outputs = {name: keras.layers.Dense(3, "softmax", name=name)(joined) for name in ("a", "b")}
    model = keras.Model({"one": one, "two": two}, outputs)
    loss = "sparse_categorical_crossentropy"
    model.compile("sgd", {"a": loss, "b": loss}, loss_weights={"a": 1.0, "b": 0.3}, metrics={"a": "accuracy"})
    x, y = {"one": x, "two": 1 - x}, {"a": y, "b": 2 - y}
    surface = loss_surface(model, x, y, points=3).frame  # before any fit or evaluate
    assert all(not np.any(one.numpy()) for one in model.metrics_variables)
    expected = model.evaluate(x, y, return_dict=True, verbose=0)["loss"]
    assert surface["loss"][4] == pytest.approx(expected, rel=1e-6)


def test_a_loss_that_is_not_finite_stays_so(line):
    """Where float32 overflows the table has inf, and the rest of it is untouched."""
    model, x, y = line()
    losses = loss_surface(model, x, y, ("line/kernel", (0, 0)), ranges=(-1e30, 1e30), points=3).frame["loss"]
    assert losses.tolist()[::2] == [np.inf, np.inf]
    assert np.isfinite(losses[1])


def test_random_directions_have_the_filters_norms():
    """Each filter of a direction is as long as the model's; biases and normalization layers do not move."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(3, 2),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(2, depth_multiplier=2),
            layers.SeparableConv2D(4, 2),
            layers.Conv2DTranspose(5, 2),
            layers.GlobalAveragePooling2D(),
            layers.Dense(7),
        ]
    )
    # the axes that a filter of each kernel extends over; the separable layer has two kernels
    over = [(0, 1, 2), (0, 1), (0, 1), (0, 1, 2), (0, 1, 3), (0,)]
    plane, kernels = random_directions(model, seed=0), 0
    for variable, *directions in zip(model.trainable_variables, *plane.directions, strict=True):
        if len(variable.shape) < 2:
            assert not np.any(directions)
            continue
        expected = np.sqrt(np.sum(np.float64(variable.numpy()) ** 2, axis=over[kernels]))
        for direction in directions:
            np.testing.assert_allclose(np.sqrt(np.sum(direction**2, axis=over[kernels])), expected, rtol=1e-9)
        kernels += 1
    assert kernels == len(over)


def test_an_embeddings_filters_are_its_tokens():
    """Each token's vector keeps its length."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Embedding(5, 4)])
    direction = random_directions(model, seed=1).directions[0][0]
    expected = np.linalg.norm(model.get_weights()[0], axis=1)
    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), expected, rtol=1e-6)


def test_a_seed_fixes_the_directions(network):
    """The same seed gives the same two directions, which differ; another seed gives others."""
    model, _ = network
    first, again, other = (random_directions(model, seed).directions for seed in (0, 0, 1))
    np.testing.assert_array_equal(first[0][0], again[0][0])
    assert np.abs(first[0][0] - first[1][0]).max() > 0.1
    assert np.abs(first[0][0] - other[0][0]).max() > 0.1


def flat(arrays):
    """Return arrays as one float64 vector."""
    return np.concatenate([np.asarray(one, "float64").ravel() for one in arrays])


def trainable(model, snapshot):
    """Return what a snapshot has for the trainable variables, without BatchNormalization's statistics."""
    return [one for one, variable in zip(snapshot, model.weights, strict=True) if variable.trainable]


@pytest.mark.sample(1)
@pytest.mark.parametrize("along", ["random", "trajectory", [("first/kernel", (0, 1)), ("last/bias", 2)]])
def test_the_path_is_projected_by_least_squares(along, network, blobs):
    """Coordinates and distance are those of NumPy's least-squares solution over the trainable weights."""
    model, path = network
    table = loss_surface(model, *blobs, along, trajectory=path, points=2).trajectory
    center = flat(one.numpy() for one in model.trainable_variables)
    origin = np.zeros(2)
    if along == "random":
        directions = random_directions(model, 0).directions
    elif along == "trajectory":
        directions = trajectory_directions(model, [trainable(model, one) for one in path]).directions
    else:
        directions = [[np.zeros(one.shape) for one in model.trainable_variables] for _ in range(2)]
        directions[0][0][0, 1] = directions[1][-1][2] = 1
        origin = np.array([model.layers[0].kernel.numpy()[0, 1], model.layers[-1].bias.numpy()[2]])
    matrix = np.stack([flat(one) for one in directions], axis=1)
    assert list(table.columns[[0, 3, 4]]) == ["snapshot", "loss", "distance"]
    for number, snapshot in enumerate(path):
        away = flat(trainable(model, snapshot)) - center
        expected, *_ = np.linalg.lstsq(matrix, away, rcond=None)
        row = table.iloc[number].to_numpy()
        np.testing.assert_allclose(row[1:3], origin + expected, atol=1e-6)
        assert row[4] == pytest.approx(np.linalg.norm(away - matrix @ expected), abs=1e-6)


def test_the_plane_of_a_path_is_that_of_its_principal_directions(network):
    """They are NumPy's singular vectors of the differences, of length 1, and the start is on the negative side."""
    model, path = network
    plane = trajectory_directions(model, [trainable(model, one) for one in path])
    matrix = np.stack([flat(trainable(model, one)) - flat(plane.center) for one in path])
    expected = np.linalg.svd(matrix, full_matrices=False)[2][:2]
    found = np.stack([flat(one) for one in plane.directions])
    np.testing.assert_allclose(found @ found.T, np.eye(2), atol=1e-9)
    np.testing.assert_allclose(np.abs(np.sum(found * expected, axis=1)), 1, rtol=1e-9)
    assert (found @ matrix[0] <= 0).all()


@pytest.mark.slow
def test_the_paths_losses_are_those_of_all_its_weights(network, blobs):
    """A snapshot's loss is evaluate's with its weights and BatchNormalization statistics; the last is the center."""
    model, path = network
    surface = loss_surface(model, *blobs, trajectory=path, points=3)
    twin, expected = keras.models.clone_model(model), []
    twin.compile("sgd", "sparse_categorical_crossentropy")
    for snapshot in path:
        twin.set_weights(snapshot)
        # In a batch of the same size: Keras 3.10 does not divide the penalty on activations by it.
        expected.append(twin.evaluate(*blobs, batch_size=256, return_dict=True, verbose=0)["loss"])
    np.testing.assert_allclose(surface.trajectory["loss"], expected, rtol=1e-6)
    assert surface.trajectory["loss"].iloc[-1] == pytest.approx(surface.frame["loss"][4], rel=1e-6)


@pytest.mark.slow
def test_a_path_on_the_only_weights_lies_in_their_plane(line):
    """Gradient descent on a line: the path's coordinates are the weights, its losses the parabola's."""
    model, x, y = line(w=-1.0, b=2.0)
    path = kt.callbacks.WeightSnapshots(every=1)
    model.fit(x, y, batch_size=40, epochs=3, verbose=0, callbacks=[path])
    along = [("line/kernel", (0, 0)), ("line/bias", 0)]
    table = loss_surface(model, x, y, along, trajectory=path.snapshots, points=2).trajectory
    w, b, expected = -1.0, 2.0, []
    for _ in range(4):
        error = w * x + b - y
        expected.append([w, b, np.mean(error**2)])
        w, b = w - 0.2 * np.mean(error * x), b - 0.2 * np.mean(error)
    np.testing.assert_allclose(table.to_numpy()[:, 1:4], expected, rtol=1e-5)
    np.testing.assert_allclose(table["distance"], 0, atol=1e-6)


@pytest.mark.slow
def test_the_grid_reaches_beyond_the_path(network, blobs):
    """On each axis by a fifth, to both sides of the model's weights."""
    model, path = network
    surface = loss_surface(model, *blobs, trajectory=path, points=3)
    for axis in ("component_1", "component_2"):
        far = surface.trajectory[axis].abs().max()
        assert surface.frame[axis].unique() == pytest.approx([-1.2 * far, 0, 1.2 * far])


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("ranges", "expected"),
    [(2, [[-1.5, 2.5], [-1.75, 2.25]]), ((-1, 4), [[-1, 4]] * 2), ([(-1, 4), (0, 2)], [[-1, 4], [0, 2]])],
)
def test_ranges_are_distances_or_coordinates(ranges, expected, line):
    """A number reaches to both sides; a pair says from where to where, for all axes or for each."""
    model, x, y = line()
    surface = loss_surface(model, x, y, [("line/kernel", (0, 0)), ("line/bias", -1)], ranges=ranges, points=2).frame
    assert [[low, high] for low, high in zip(surface.min()[:2], surface.max()[:2], strict=True)] == expected


def uncompiled():
    """Return a model without a loss."""
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"model": uncompiled()}, ValueError, "`model` must be compiled.*model.compile"),
        ({"points": 2**31}, ValueError, "`points` must ask for a table of at most"),
        ({"y": None}, ValueError, "`y` must be the targets"),
        ({"x": np.full((40, 7), 1.0)}, ValueError, "`x` and `y` must fit the model"),
        ({"trajectory": np.zeros(3)}, TypeError, "`trajectory` must be a WeightSnapshots"),
        ({"trajectory": [[None]]}, TypeError, "`trajectory` must be an array"),
        ({"model": "model"}, TypeError, "`model` must be a Keras model. Received: model='model'"),
        (
            {"along": ("line/weight", 0)},
            ValueError,
            "trainable variable of the model: line/kernel, line/bias. .*line/weight",
        ),
        (
            {"along": ("line/kernel", (0, 1))},
            ValueError,
            r"a place in 'line/kernel', whose shape is \(1, 1\). .*\(0, 1\)",
        ),
        ({"along": ("line/kernel", 0)}, ValueError, r"whose shape is \(1, 1\)"),
        ({"along": ("line/bias", 0.5)}, TypeError, '`along` must be "random", "trajectory", a weight such as'),
        ({"along": "randomly"}, TypeError, '`along` must be "random", "trajectory", a weight such as'),
        ({"along": [("line/bias", 0)] * 2}, ValueError, "two different weights"),
        ({"along": [("line/bias", 0)] * 3}, ValueError, "one or two weights"),
        (
            {"along": "trajectory"},
            ValueError,
            '`along="trajectory"` needs .* in `trajectory`. Received: trajectory=None',
        ),
        (
            {"trajectory": [[np.ones((1, 1)), np.zeros(1)]] * 4},
            ValueError,
            "`trajectory` must leave a line: three snapshots.*4 snapsh",
        ),
        ({"trajectory": []}, TypeError, r"`trajectory` must be a WeightSnapshots.*Received: trajectory=\[\]"),
        (
            {"trajectory": [[np.zeros(1)]]},
            ValueError,
            r"of the shapes \[\(1, 1\), \(1,\)\].*snapshot 0 of the shapes \[\(1,\)\]",
        ),
        ({"trajectory": [[np.full((1, 1), np.nan), np.zeros(1)]]}, ValueError, "`trajectory` must hold finite weights"),
        ({"ranges": (1, -1)}, ValueError, "`ranges` must be a number, or .from, to. with from < to"),
        ({"ranges": 0}, ValueError, "`ranges` must be more than 0. Received: ranges=0"),
        ({"ranges": np.inf}, ValueError, "`ranges` must be finite"),
        ({"ranges": [(0, 1)] * 3}, ValueError, "such a pair for each axis"),
        ({"points": 1}, ValueError, "`points` must be a whole number from 2"),
        ({"batch_size": 0}, ValueError, "`batch_size` must be a whole number from 1"),
        ({"seed": -1}, ValueError, "`seed` must be a whole number from 0"),
        ({"y": np.zeros(3)}, ValueError, "equally many examples, one at least. Received: arrays of 40, 3 examples"),
        ({"x": np.zeros((0, 1)), "y": np.zeros(0)}, ValueError, "equally many examples, one at least"),
        ({"x": iter([1])}, TypeError, "which can be iterated repeatedly"),
        ({"x": tf.data.Dataset.range(3)}, ValueError, "leave `y` and `sample_weight` out.*with `y`"),
        ({"x": tf.data.Dataset.range(3).repeat(), "y": None}, ValueError, "`x` must have an end"),
        ({"x": tf.data.Dataset.range(0), "y": None}, ValueError, "at least one batch"),
    ],
)
def test_invalid_arguments_are_refused(change, error, message, line):
    """The error names the argument, what was received and what would work."""
    model, x, y = line()
    with pytest.raises(error, match=message):
        loss_surface(**{"model": model, "x": x, "y": y, **change})


def test_random_directions_need_a_kernel(line):
    """A model whose kernels are all 0 or frozen has no filter to take the size from."""
    model, x, y = line(w=0.0)
    with pytest.raises(ValueError, match="a trainable kernel that is not all 0"):
        loss_surface(model, x, y)


def test_a_bar_shows_how_far_it_is(line, capsys):
    """It goes to standard error."""
    model, x, y = line()
    kt.loss_surface(model, x, y, points=2)
    assert "loss surface" in capsys.readouterr().err


@pytest.mark.slow
def test_plot_draws_the_surface_with_its_trajectory(network, blobs):
    """The result draws itself, with the trajectory where there is one, into `ax` where it is given."""
    model, snapshots = network
    surface = loss_surface(model, *blobs, trajectory=snapshots, points=3)
    ax = surface.plot()
    (path,) = (line for line in ax.lines if line.get_label() == "path")
    np.testing.assert_array_equal(path.get_xdata(), surface.trajectory["component_1"])
    assert "training path" in ax.get_title()
    assert loss_surface(model, *blobs, points=3).plot(ax) is ax


def test_a_surface_shows_itself(line):
    """In a shell: what it is over, the head of the table, and what to call next."""
    model, x, y = line()
    surface = loss_surface(model, x, y, ("line/bias", 0), points=3)
    assert repr(surface).startswith("LossSurface over line/bias[0]: 3 points\n   line/bias[0]")
    assert repr(surface).endswith("Next: .plot(), .frame")
