import keras
import numpy as np
import pytest
from batches import batches
from keras import layers

import kerasteach as kt
from kerasteach.measure import histograms


def fit(model, x, y, *callbacks, epochs=2, **options):
    """Train quietly on 60 examples in three batches of 20, always the same ones."""
    return model.fit(batches(x, y, 20), epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks), **options)


@pytest.fixture(scope="module")
def trained(blobs, classifier):
    """Train the small network for two epochs, and return a capture of all of it and one of whole gradients."""
    captures = kt.callbacks.GradientCapture(statistics="all"), kt.callbacks.GradientCapture(raw={"output": [5, 100]})
    fit(classifier(), *blobs, *captures)
    return captures


@pytest.fixture
def everything(trained):
    """Return what a capture without options records of the small network in two epochs."""
    return trained[0].frame


# --- which layers


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("output", ["output"]),
        ("hidden_*", ["hidden_1", "hidden_2"]),
        (["output", "hidden_1"], ["hidden_1", "output"]),
        (lambda layer: getattr(layer, "units", 0) == 4, ["hidden_2"]),
    ],
)
def test_layers_are_chosen_by_name_wildcard_list_or_rule(chosen, expected, blobs, classifier, everything):
    """The rows of the chosen layers are the same as in a capture of all of them."""
    capture = kt.callbacks.GradientCapture(layers=chosen, statistics="all")
    fit(classifier(), *blobs, capture)
    assert capture.frame["layer"].unique().tolist() == expected
    theirs = everything[everything["layer"].isin(expected)].reset_index(drop=True)
    np.testing.assert_allclose(capture.frame["norm"], theirs["norm"], rtol=1e-5)
    assert capture.frame["depth"].tolist() == theirs["depth"].tolist()


def test_a_layer_object_means_itself(blobs, classifier):
    """A layer of the model can be handed over, and a model inside it means all its layers."""
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(5, name="a"), layers.Dense(4, name="b")], name="inner")
    model = keras.Sequential([keras.Input((4,)), inner, layers.Dense(3, activation="softmax", name="c")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    for chosen in (inner, "inner"):
        capture = kt.callbacks.GradientCapture(layers=chosen)
        fit(model, *blobs, capture, epochs=1)
        assert capture.frame["layer"].unique().tolist() == ["inner/a", "inner/b"]


def test_layers_that_are_not_there_are_listed(blobs, classifier):
    """A name without a layer is an error that lists the names, and leaves the optimizer as it was."""
    model = classifier()
    with pytest.raises(ValueError, match=r"hidden_1, hidden_2, output\. Received: 'dense'"):
        fit(model, *blobs, kt.callbacks.GradientCapture(layers="dense"))
    fit(model, *blobs)


@pytest.mark.parametrize("bad", [3, [None], [[]]])
def test_layers_must_be_selectors(bad):
    """What is no name, layer or function is refused at the door."""
    with pytest.raises(TypeError, match=r"`layers` must be (a list of )?names"):
        kt.callbacks.GradientCapture(layers=bad)


def test_no_layers_at_all_is_an_error():
    """An empty list is a slip."""
    with pytest.raises(ValueError, match="`layers` must name a layer"):
        kt.callbacks.GradientCapture(layers=[])


# --- which steps


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "options",
    [
        {"steps_per_execution": 3},
        pytest.param({"jit_compile": True}, marks=pytest.mark.slow),
        pytest.param({"run_eagerly": True}, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("every", [2, 4])
def test_every_kth_step_is_the_same_row(every, options, blobs, classifier, everything):
    """Steps 0, k, 2k ... have the numbers that a capture of all steps gives them."""
    capture = kt.callbacks.GradientCapture(every=every, statistics="all")
    fit(classifier(**options), *blobs, capture)
    theirs = everything[everything["step"] % every == 0].reset_index(drop=True)
    assert capture.frame[["epoch", "step"]].values.tolist() == theirs[["epoch", "step"]].values.tolist()
    np.testing.assert_allclose(capture.frame["norm"], theirs["norm"], rtol=1e-5)


def test_every_epoch_gives_the_means_of_its_steps(blobs, classifier, everything):
    """A row an epoch and variable: means, `finite` where all were, and the epoch's last step."""
    capture = kt.callbacks.GradientCapture(every="epoch", statistics="all")
    fit(classifier(), *blobs, capture)
    assert capture.frame[["epoch", "step"]].drop_duplicates().values.tolist() == [[0, 2], [1, 5]]
    means = everything.groupby(["epoch", "path"], sort=False)[["norm", "std", "weight_norm"]].mean().reset_index()
    np.testing.assert_allclose(capture.frame["norm"], means["norm"], rtol=1e-5)
    np.testing.assert_allclose(capture.frame["std"], means["std"], rtol=1e-5)
    assert capture.frame["finite"].dtype == bool


@pytest.mark.slow
def test_an_epochs_means_do_not_depend_on_how_they_were_fetched(monkeypatch, blobs, classifier):
    """An epoch longer than the buffer is averaged over several fetches."""
    whole = kt.callbacks.GradientCapture(every="epoch", histogram=4)
    fit(classifier(), *blobs, whole)
    monkeypatch.setattr("kerasteach.measure.hooks.recorder.BUFFER_BYTES", 4 * 6 * 12 * 8)
    pieces = kt.callbacks.GradientCapture(every="epoch", histogram=4)
    fit(classifier(), *blobs, pieces)
    np.testing.assert_allclose(pieces.frame["norm"], whole.frame["norm"], rtol=1e-5)
    assert pieces.histograms["count"].tolist() == whole.histograms["count"].tolist()


def test_an_epoch_with_nan_at_one_step_is_nan_and_not_finite(blobs, classifier):
    """A mean that left steps out would hide them."""
    x, y = blobs
    x = x.copy()
    x[45] = np.nan
    capture = kt.callbacks.GradientCapture(every="epoch")
    fit(classifier(), x, y, capture, epochs=1)
    assert not capture.frame["finite"].any()
    assert capture.frame["norm"].isna().all()


def test_an_epoch_that_was_interrupted_has_its_mean_so_far(blobs, classifier, everything, interrupt):
    """Nothing is lost of an epoch that an exception ended after two steps."""
    capture = kt.callbacks.GradientCapture(every="epoch")
    with pytest.raises(KeyboardInterrupt):
        fit(classifier(), *blobs, capture, interrupt(2))
    assert capture.frame["step"].unique().tolist() == [1]
    expected = everything[everything["step"] < 2].groupby("path", sort=False)["norm"].mean()
    np.testing.assert_allclose(capture.frame["norm"], expected, rtol=1e-5)
    capture.detach()
    np.testing.assert_allclose(capture.frame["norm"], expected, rtol=1e-5)


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "step", None])
def test_every_must_be_a_number_of_steps_or_epoch(bad):
    """Anything else is refused at the door."""
    with pytest.raises(ValueError, match="`every` must be a number of steps"):
        kt.callbacks.GradientCapture(every=bad)


# --- histograms


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"jit_compile": False}, {"jit_compile": True}])
def test_histograms_count_the_entries_by_magnitude(options, blobs, classifier):
    """Against NumPy's histogram of the whole gradients, which the same training keeps."""
    edges = np.geomspace(1e-6, 1, 13).astype("float32")
    capture = kt.callbacks.GradientCapture(histogram=edges, raw={"*": range(6)})
    fit(classifier(activation="relu", **options), *blobs, capture)
    table = capture.histograms
    assert list(table)[-3:] == ["low", "high", "count"]
    for (step, path), rows in table.groupby(["step", "path"]):
        gradient = np.abs(capture.raw[step][path])
        expected, _ = np.histogram(gradient, bins=np.append(edges, np.inf))
        assert rows["count"].tolist()[2:-1] == expected.tolist()
        assert rows["count"].iloc[0] == (gradient == 0).sum()
        assert rows["count"].sum() == gradient.size


def test_zeros_and_what_is_not_finite_have_counts_of_their_own():
    """The bounds say which they are."""
    edges = np.array([0.1, 1.0, 10.0], "float32")
    numbers = np.array([0, 0, -0.01, 0.1, -0.5, 1, 9.99, 10, 1e30, np.inf, -np.inf, np.nan], "float32")
    low, high = histograms.bounds(edges)
    counts = np.asarray(histograms.counts([numbers], edges)[0])
    table = [*zip(low.tolist(), high.tolist(), counts.tolist(), strict=True)]
    inf = float("inf")
    assert [(round(a, 6), round(b, 6), n) for a, b, n in table] == [
        (0, 0, 2),
        (0, 0.1, 1),
        (0.1, 1, 2),
        (1, 10, 2),
        (10, inf, 2),
        (inf, inf, 3),
    ]


@pytest.mark.parametrize("bad", [0, -3, 1000, [1.0], [1.0, 0.5], [0.0, 1.0], [1.0, float("nan")], "many", [[1.0, 2.0]]])
def test_a_histogram_needs_edges_that_rise(bad):
    """Anything else is refused at the door."""
    with pytest.raises(ValueError, match="`histogram` must be True, a number of bins"):
        kt.callbacks.GradientCapture(histogram=bad)


def test_without_histograms_there_is_an_error_that_says_how(blobs, classifier):
    """Asking for what was not recorded is no empty table."""
    with pytest.raises(ValueError, match="give `histogram=True`"):
        _ = kt.callbacks.GradientCapture().histograms


# --- whole gradients


@pytest.mark.sample(1)
@pytest.mark.parametrize("options", [{"jit_compile": False}, {"jit_compile": True}, {"steps_per_execution": 3}])
def test_whole_gradients_have_the_norms_of_the_table(options, blobs, classifier):
    """At the chosen steps of the chosen layers, and nowhere else."""
    capture = kt.callbacks.GradientCapture(raw={"hidden_1": [1, 4], "output": 4})
    fit(classifier(**options), *blobs, capture)
    kept = {step: sorted(path.partition("/")[2] for path in arrays) for step, arrays in capture.raw.items()}
    one = ["hidden_1/bias", "hidden_1/kernel"]
    assert kept == {1: one, 4: [*one, "output/bias", "output/kernel"]}
    parameters = ["hidden_1/kernel", "hidden_1/bias", "output/kernel", "output/bias"]
    assert list(capture.raw[4]) == [f"mlp/{name}" for name in parameters], "in the model's order"
    frame = capture.frame.set_index(["step", "path"])
    for step, arrays in capture.raw.items():
        for path, gradient in arrays.items():
            assert np.linalg.norm(gradient.astype("float64")) == pytest.approx(
                frame.loc[(step, path), "norm"], rel=1e-6
            )


def test_steps_that_never_came_are_not_there(trained):
    """Asking for step 100 of a training of 6 gives what came."""
    assert list(trained[1].raw) == [5]


def test_whole_gradients_beyond_the_memory_bound_are_refused(monkeypatch, blobs, classifier):
    """The error says how much was asked for, and what one step takes."""
    monkeypatch.setattr("kerasteach.measure.hooks.full_gradients.LIMIT_BYTES", 2**10)
    with pytest.raises(ValueError, match=r"`raw` may keep .* one step of these layers takes"):
        fit(classifier(), *blobs, kt.callbacks.GradientCapture(raw={"*": range(100)}))


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ("output", TypeError),
        ({"output": [-1]}, ValueError),
        ({"output": []}, ValueError),
        ({"output": 1.5}, ValueError),
    ],
)
def test_raw_must_map_layers_to_steps(bad, error):
    """Anything else is refused at the door."""
    with pytest.raises(error, match="`raw` must"):
        kt.callbacks.GradientCapture(raw=bad)


# --- views


def test_one_layer_and_one_step_are_small_tables(trained):
    """`layer` and `at` are rows of the whole table."""
    capture, _ = trained
    assert capture.layer("output")["layer"].unique().tolist() == ["output"]
    assert capture.layer("hidden_*")["depth"].unique().tolist() == [1, 2]
    assert capture.at(4)["step"].unique().tolist() == [4]
    assert capture.at(-1)["step"].unique().tolist() == [5]
    with pytest.raises(ValueError, match="a layer that was recorded: hidden_1, hidden_2, output"):
        capture.layer("dense")
    with pytest.raises(ValueError, match=r"from 0 to 5, 6 of them\. Received: step=6"):
        capture.at(6)


def test_an_optimizer_must_be_one():
    """A name is refused at the door."""
    with pytest.raises(TypeError, match="`optimizer` must be a Keras optimizer"):
        kt.callbacks.GradientCapture(optimizer="adam")


def test_float64_gradients_keep_all_digits():
    """Whole gradients, norms and histograms of float64 variables, also of entries that float32 takes for 0."""
    optimizer, variable = keras.optimizers.SGD(0.1), keras.Variable(np.zeros(12), dtype="float64", name="w")
    optimizer.build([variable])
    with kt.measure.record(optimizer, raw={"*": 0}, histogram=[1e-30, 1.0]) as tape:
        optimizer.apply([keras.ops.convert_to_tensor(np.full(12, 1e-200))], [variable])
    (array,) = tape.raw[0].values()
    assert array.dtype == "float64"
    assert array.tolist() == [1e-200] * 12
    np.testing.assert_allclose(tape.frame["norm"], 12**0.5 * 1e-200, rtol=1e-12)
    assert tape.histograms["count"].tolist() == [0, 12, 0, 0, 0]


def blocks():
    """Return a compiled model whose layers lie in blocks, as `block_0/att/query`."""

    class Attention(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.query, self.key = keras.layers.Dense(4, name="query"), kt.layers.Dense(4, name="key")

        def call(self, x):
            return self.query(x) * self.key(x)

    class Block(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.att, self.out = Attention(name="att"), keras.layers.Dense(4, name="out")

        def call(self, x):
            return self.out(self.att(x))

    model = keras.Sequential([keras.Input((4,)), Block(name="block_0"), Block(name="block_1"), Scale(name="scale")])
    model.compile("sgd", "mse")
    return model


class Scale(keras.layers.Layer):
    """A layer of another class, with a weight."""

    def build(self, shape):
        """Make it."""
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones", name="factor")

    def call(self, x):
        """Multiply by it."""
        return x * self.factor


DENSE = [f"block_{block}/{name}" for block in (0, 1) for name in ("att/query", "att/key", "out")]


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("att", [name for name in DENSE if "att" in name]),
        ("block_1/att", [name for name in DENSE if "block_1/att" in name]),
        ("block_*/att", [name for name in DENSE if "att" in name]),
        ("query", [name for name in DENSE if "query" in name]),
        (keras.layers.Dense, DENSE),
        (kt.layers.Dense, [name for name in DENSE if "key" in name]),
        ([keras.layers.Dense, "scale"], [*DENSE, "scale"]),
        (lambda layer: layer.name == "out", ["block_0/out", "block_1/out"]),
    ],
)
def test_layers_are_chosen_by_any_part_of_their_name_and_by_class(selector, expected):
    """A part in the middle of a path, a class with its subclasses, a function."""
    capture = kt.callbacks.GradientCapture(layers=selector)
    blocks().fit(np.ones((4, 4)), np.zeros((4, 4)), verbose=0, callbacks=[capture])
    assert capture.frame["layer"].unique().tolist() == expected


@pytest.mark.parametrize("kind", [kt.callbacks.GradientCapture, kt.callbacks.ActivationCapture])
def test_a_function_of_a_layer_that_fails_is_named(kind):
    """The error says for which layer, and why."""
    with pytest.raises(ValueError, match=r"`layers` has a function that fails for the layer 'block_0': .*no attribute"):
        blocks().fit(
            np.ones((4, 4)), np.zeros((4, 4)), verbose=0, callbacks=[kind(layers=lambda layer: layer.units > 3)]
        )


@pytest.mark.parametrize("layers", [5, int, [None], [3.0]])
def test_what_names_no_layer_is_refused(layers):
    """Numbers, and classes of other things, are no layers."""
    with pytest.raises(TypeError, match=r"`layers` must be (a list of )?names"):
        kt.callbacks.GradientCapture(layers=layers)


def test_a_table_is_looked_at_by_name_by_depth_and_by_step():
    """Whatever else is asked for is an error that says what there is."""
    capture = kt.callbacks.GradientCapture()
    blocks().fit(np.ones((4, 4)), np.zeros((4, 4)), verbose=0, callbacks=[capture])
    assert capture.layer(2).equals(capture.layer("block_0/att/key"))
    assert capture.layer("att")["layer"].nunique() == 4
    assert capture.at(np.int64(-1)).equals(capture.frame)
    for name, error, message in (
        (9, ValueError, r"1 block_0/att/query.*7 scale\. Received: name=9"),
        ("scala", ValueError, "Did you mean 'scale'"),
        (None, TypeError, "must be a layer's name, or its number"),
        (2.0, TypeError, "must be a layer's name, or its number"),
    ):
        with pytest.raises(error, match=message):
            capture.layer(name)
    for step in (None, "a", 1.5, True):
        with pytest.raises(ValueError, match="`step` must be a whole number"):
            capture.at(step)
    with pytest.raises(ValueError, match="from 0 to 0, 1 of them"):
        capture.at(1)


@pytest.mark.parametrize("model", [5, "model", keras.Sequential])
def test_record_takes_a_model_or_none(model):
    """Anything else is an error that names the argument."""
    with pytest.raises(TypeError, match="`model` must be a Keras model, or None"):
        kt.measure.record(keras.optimizers.SGD(), model)


@pytest.mark.parametrize("steps", [range(10**12), iter(int, 1), range(100_001), 2**31, [0, 2**31], [10**400], "12", {}])
def test_steps_of_raw_have_a_bound(steps):
    """Too many steps, or too large ones, are refused in the constructor, which does not count them out first."""
    with pytest.raises(ValueError, match="`raw` must"):
        kt.callbacks.GradientCapture(raw={"*": steps})


@pytest.mark.parametrize("every", [2**31, 2**63, 10**400])
def test_every_has_a_bound(every):
    """Steps are counted in 32 bits."""
    with pytest.raises(ValueError, match='`every` must be a number of steps from 1 to 2147483647, or "epoch"'):
        kt.callbacks.GradientCapture(every=every)


@pytest.mark.parametrize("argument", ["directory", "tensorboard"])
@pytest.mark.parametrize("value", [5, True, b"runs", "", "a" * 300, "a\0b"])
def test_paths_are_checked_in_the_constructor(argument, value):
    """What no file system can hold is refused by name."""
    with pytest.raises((TypeError, ValueError), match=f"`{argument}` must be a path"):
        kt.callbacks.GradientCapture(**{argument: value})
