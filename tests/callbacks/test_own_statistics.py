"""Statistics of the caller's own: functions of the gradient, computed in the training step."""

import numpy as np
import pytest
from batches import batches
from keras import ops
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

import kerasteach as kt

OWN = {"l1": lambda gradient: ops.sum(ops.abs(gradient)), "negative": lambda gradient: ops.mean(gradient < 0)}
NUMPY = {"l1": lambda gradient: np.abs(gradient).sum(), "negative": lambda gradient: (gradient < 0).mean()}
DEFAULT = ["norm", "mean", "std", "finite"]


def fit(model, x, y, *callbacks):
    """Train two epochs of three steps quietly."""
    model.fit(batches(x, y, 20), epochs=2, verbose=0, shuffle=False, callbacks=list(callbacks))


def check(frame, gradients):
    """Raise AssertionError unless the table has NumPy's values of the whole gradients of each step."""
    for step, by_path in gradients.items():
        rows = frame[frame["step"] == step].set_index("path")
        for path, gradient in by_path.items():
            for name, of_numpy in NUMPY.items():
                assert rows.loc[path, name] == pytest.approx(of_numpy(gradient), rel=1e-5), (step, path, name)


@pytest.mark.sample(1)
@pytest.mark.parametrize("options", [{"run_eagerly": True}, {"jit_compile": False}, {"jit_compile": True}])
def test_functions_of_the_gradient_are_columns(options, blobs, classifier):
    """Alone they come after the default; their values are NumPy's of the whole gradients."""
    capture = kt.callbacks.GradientCapture(statistics=OWN, raw={"*": range(6)})
    fit(classifier(**options), *blobs, capture)
    assert list(capture.frame)[-6:] == [*DEFAULT, *OWN]
    assert sorted(capture.raw) == list(range(6))
    check(capture.frame, capture.raw)


@pytest.mark.slow
def test_only_captured_steps_have_them(blobs, classifier):
    """With `every=`, each second step; with "epoch" the means over the steps."""
    second = kt.callbacks.GradientCapture(statistics=["norm", OWN], every=2, raw={"*": [0, 2, 4]})
    fit(classifier(), *blobs, second)
    assert list(second.frame)[-4:] == ["norm", "finite", *OWN]
    assert second.frame["step"].unique().tolist() == [0, 2, 4]
    check(second.frame, second.raw)
    every = kt.callbacks.GradientCapture(statistics=OWN)
    epochs = kt.callbacks.GradientCapture(statistics=OWN, every="epoch")
    fit(classifier(), *blobs, every)
    fit(classifier(), *blobs, epochs)
    means = every.frame.groupby(["epoch", "path"], sort=False)["l1"].mean()
    np.testing.assert_allclose(epochs.frame["l1"], means, rtol=1e-5)


def test_they_are_on_disk_and_in_tensorboard(tmp_path, blobs, classifier):
    """`read` gives the columns back; TensorBoard has a scalar of each."""
    capture = kt.callbacks.GradientCapture(
        statistics=["all", OWN], histogram=True, directory=tmp_path / "run", tensorboard=tmp_path / "board"
    )
    fit(classifier(run_eagerly=True), *blobs, capture)
    found = kt.measure.read(tmp_path / "run")
    assert list(found)[-2:] == list(OWN)
    assert found["l1"].tolist() == capture.frame["l1"].tolist()
    np.testing.assert_allclose(found["l1"], found["mean_abs"] * found["size"], rtol=1e-5)
    accumulator = EventAccumulator(str(tmp_path / "board" / "gradients-0001"), size_guidance={"tensors": 0})
    accumulator.Reload()
    written = [float(make_ndarray(one.tensor_proto)) for one in accumulator.Tensors("gradients/output/kernel/l1")]
    rows = found[(found["layer"] == "output") & (found["parameter"] == "kernel")]
    np.testing.assert_allclose(written, rows["l1"], rtol=1e-6)


def test_a_loop_of_ones_own_and_outputs_have_them(blobs, classifier):
    """`record` takes them as GradientCapture does, and ActivationCapture as functions of a layer's output."""
    x, y = blobs
    model = classifier(run_eagerly=True)
    with kt.measure.record(model.optimizer, model, statistics=OWN, raw={"*": [0, 1]}) as tape:
        for _ in range(2):
            model.train_on_batch(x, y)
    check(tape.frame, tape.raw)
    capture = kt.callbacks.ActivationCapture(statistics=["mean", {"highest": ops.max}])
    model = classifier(run_eagerly=True)
    expected = np.max(model.layers[0](x))
    model.fit(x, y, batch_size=60, verbose=0, callbacks=[capture])
    assert list(capture.frame)[-3:] == ["mean", "finite", "highest"]
    assert capture.frame["highest"].iloc[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda gradient: gradient,
            r"must return one number, as a tensor of shape \(\)\. Received: .*of shape \(4, 5\)",
        ),
        (lambda gradient: None, r"must return one number.*Received: None"),
        (lambda gradient: gradient.no_such_name, r"fails for a tensor of shape \(4, 5\): AttributeError"),
        (lambda gradient: 1.0 if ops.sum(gradient) > 0 else 0.0, r"fails for .*: OperatorNotAllowedInGraphError"),
    ],
)
def test_a_function_that_fails_is_named_in_the_first_step(function, message, blobs, classifier):
    """The error names the statistic; the next training is as ever."""
    model = classifier()
    with pytest.raises(ValueError, match=rf"`statistics\['mine'\]` {message}"):
        fit(model, *blobs, kt.callbacks.GradientCapture(statistics={"mine": function}))
    fit(model, *blobs)
    assert "apply" not in vars(model.optimizer)


@pytest.mark.parametrize(
    ("statistics", "error", "message"),
    [
        ({"norm": len}, ValueError, r"a name that is not taken.*statistics='norm'"),
        ({"path": len}, ValueError, r"a name that is not taken.*statistics='path'"),
        ([{"l1": len}, {"l1": len}], ValueError, r"a name that is not taken.*statistics='l1'"),
        ({"": len}, ValueError, "`statistics` must not be empty"),
        ({3: len}, TypeError, "`statistics` must be a text"),
        ({"l1": 3}, TypeError, r"`statistics\['l1'\]` must be a function of a tensor"),
        ({}, ValueError, '`statistics` must be "all" or names out of norm'),
        (["kurtosis", OWN], ValueError, '`statistics` must be "all" or names out of norm'),
    ],
)
@pytest.mark.parametrize("kind", [kt.callbacks.GradientCapture, kt.callbacks.ActivationCapture])
def test_names_and_functions_are_checked(kind, statistics, error, message):
    """A name that is taken, and what is no function, are errors at once."""
    with pytest.raises(error, match=message.replace("out of norm", "out of (norm|mean)")):
        kind(statistics=statistics)
