import json
import re
import sys
import warnings
from unittest.mock import patch

import keras
import numpy as np
import pandas as pd
import pytest

import kerasteach as kt
from kerasteach.cli import main
from kerasteach.experiment import paired_experiment
from kerasteach.experiment.again import asked_again

ROWS = 60
X = np.random.default_rng(0).normal(size=(ROWS, 4))
Y = np.arange(ROWS) % 3
FRAME = pd.DataFrame(X, columns=list("abcd"))
SMALL = {"hidden": (4,), "seeds": 1, "epochs": 1}


def compared(data, **options):
    """Return a small comparison on data."""
    return kt.compare("relu", data=data, **{**SMALL, "verbose": 0, **options})


def described(data, **options):
    """Return what a comparison says of its data before it trains, without training it."""
    untrained = {"run": lambda *_, **__: {}, "assembled": lambda facts, _: facts}
    with patch.multiple(paired_experiment, **untrained):
        return compared(data, **options)["data"]


@pytest.fixture
def file(tmp_path):
    """Return a CSV file with an index, a column of words and ratings."""
    frame = FRAME[["a", "b"]].assign(word=["x", "y"] * 30, rating=np.arange(ROWS) % 8 + 1)
    frame.to_csv(tmp_path / "points.csv")
    return tmp_path / "points.csv"


def test_a_line_at_the_start_says_what_is_learned_from_what(file, capsys):
    """On standard error: rows, features, classes, the task and that it is a guess, the loss, what is left out."""
    facts = described(file, target="rating", verbose=1)
    line = capsys.readouterr().err.splitlines()[0]
    for words in (
        "points: 48 rows to train on, 12 to test",
        "4 features (a, b, word=x, word=y), standardized",
        "classification, 8 classes (1, 2, 3, 4, 5, 6, ...)",
        'a guess: whole numbers are taken for classes, task="regression"',
        "left out 'Unnamed: 0'",
        "loss: cross-entropy",
    ):
        assert words in line
    assert facts["loss"] == "cross-entropy"
    assert facts["feature_names"] == ["a", "b", "word=x", "word=y"]
    assert len(facts["notes"]) == 3


def test_without_progress_what_is_in_doubt_is_a_warning(file, capsys):
    """What changes the result without being asked for is never silent; nothing else is said."""
    with (
        pytest.warns(UserWarning, match="points: left out 'Unnamed: 0'"),
        pytest.warns(UserWarning, match="regression"),
    ):
        described(file, target="rating")
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_a_task_that_is_said_is_no_guess(file):
    """Ratings become values, and the run says what was asked for."""
    result = compared(file, target="rating", task="regression", features=["a", "b"])
    assert (result.facts["data"]["task"], result.facts["data"]["task_guess"]) == ("regression", "")
    assert result.facts["data"]["loss"] == "half the squared error"
    asked = {name: result.facts["arguments"][name] for name in ("target", "task", "features", "missing")}
    assert asked == {"target": "rating", "task": "regression", "features": ["a", "b"], "missing": "error"}
    assert "test_loss" in result.summary()


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "y", [keras.utils.to_categorical(Y), (Y > 0).astype(float), pd.get_dummies(pd.Series(Y)), Y[:, None], Y.tolist()]
)
def test_labels_in_the_usual_forms_are_classified(y):
    """One-hot rows, 0.0 and 1.0, dummies, columns: an accuracy is measured, and nothing need be said."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "test_accuracy" in compared((X, y)).summary()


def test_a_test_part_of_ones_own_is_measured():
    """`((x, y), (x_test, y_test))`, as Keras's `load_data` gives data, images too."""
    images = np.random.default_rng(0).integers(0, 256, (ROWS, 5, 3)).astype("uint8")
    facts = described(((images[:50], Y[:50, None]), (images[50:], Y[50:, None])))
    assert (facts["train"], facts["test"], facts["features"]) == (50, 10, 15)
    assert facts["notes"] == ["examples of 5 x 3 flattened"]
    lists = described(([X[:50].tolist(), Y[:50].tolist()], [X[50:].tolist(), Y[50:].tolist()]))
    assert lists["test"] == 10


def test_two_examples_with_two_labels_are_no_test_part():
    """A pair of short lists is examples and targets; it is refused for what it is."""
    with pytest.raises(ValueError, match=r"`test_fraction` must leave|2 examples or more"):
        compared(([[1.0, 2.0], [3.0, 4.0]], [0, 1]))


@pytest.mark.parametrize("table", [FRAME.assign(kind=Y), {**FRAME, "kind": Y}], ids=["frame", "dictionary"])
def test_a_table_has_its_targets_in_a_column(table):
    """`target` names it; without it, the error lists the columns."""
    assert described(table, target="kind")["feature_names"] == list("abcd")
    with pytest.raises(ValueError, match=r"`target` must be a column of the table: a, b, c, d, kind.*`target=` names"):
        compared(table)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ((X, Y), {"target": "a"}, r"`target` names a column of a file or a table.*Received: target='a'"),
        ((X, Y), {"features": ["a"]}, r"`features` names columns of a table"),
        ((X, Y), {"task": "classify"}, r"`task` must be one of"),
        ((X, Y), {"missing": "ignore"}, r"`missing` must be one of"),
        ((X, Y), {"split_seed": -1}, r"`split_seed` must be a whole number"),
        ("iris", {"target": "species"}, r"`target` is for data of your own"),
        ((X, Y, X, Y), {}, r"`data` must be a name.*\(\(x, y\), \(x_test, y_test\)\).*Received: tuple of 4"),
        (X, {}, r"`data` must be a name.*Received: ndarray"),
        (None, {}, r"`data` must be a name.*Received: NoneType"),
        (5, {}, r"`data` must be a name.*Received: int"),
        ((FRAME.assign(name=[f"n{n}" for n in range(ROWS)]), Y), {}, r"text in name \('n0'"),
        ((FRAME.astype("Float64").mask(FRAME > 1), Y), {}, r"missing in a \(\d+\), b"),
    ],
)
def test_data_that_will_not_do_say_why(data, options, message):
    """Before anything is trained, and with the argument's name."""
    with pytest.raises((ValueError, TypeError), match=message):
        compared(data, **options)


def test_a_data_set_is_not_read_again():
    """What belongs where it is made is refused with it; its own task may be said."""
    data = kt.datasets.from_arrays(X, Y)
    for argument, value in (("target", "a"), ("features", ["a"]), ("task", "regression")):
        with pytest.raises(ValueError, match=f"`{argument}` belongs where the Dataset is made"):
            compared(data, **{argument: value})
    assert described(data, task="classification")["task"] == "classification"


@pytest.mark.slow
def test_a_finished_run_is_found_again_by_its_data(file, tmp_path):
    """The same options load it, others are refused; a file's folder is in no description of the data."""
    options = {"target": "rating", "task": "regression", "features": ["a", "b"], "directory": tmp_path / "run"}
    first, again = compared(file, **options), compared(file, **options)
    pd.testing.assert_frame_equal(first.history, again.history)
    with pytest.raises(ValueError, match="other arguments"):
        compared(file, **{**options, "features": ["a"]})
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["data"]["source"] == "points.csv"
    assert str(tmp_path) not in json.dumps(facts["data"])


@pytest.fixture
def command(monkeypatch, tmp_path, capsys):
    """Return a function that runs `kerasteach compare` here, and returns its status and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["kerasteach.cli.compare.command"], "start_tensorflow", lambda: None)

    def run(*options):
        small = ["--hidden", "4", "--seeds", "1", "--epochs", "1", "--activations", "relu"]
        monkeypatch.setattr(sys, "argv", ["kerasteach", "compare", *small, *options])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().err

    return run


@pytest.mark.slow
def test_the_command_takes_what_compare_takes(file, command, tmp_path):
    """Target, features, task and missing values; the line at the start says what became of them, and no warning."""
    file.write_text(re.sub(r"\n3,[^,]*,", r"\n3,?,", file.read_text()))
    options = ("--data", "points.csv", "--target", "rating", "--task", "regression", "--features", "a", "word")
    status, said = command(*options, "--missing", "drop", "--output", "out")
    assert status == 0, said
    line = next(line for line in said.splitlines() if line.startswith("points: "))
    assert "3 features (a, word=x, word=y), standardized; regression, 1 value" in line
    assert "left out 1 of 60 rows" in line
    assert "Warning" not in said
    asked = asked_again("out", own_models=False)
    assert {name: asked[name] for name in ("target", "task", "features", "missing")} == {
        "target": "rating",
        "task": "regression",
        "features": ["a", "word"],
        "missing": "drop",
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], r"target.* must be a column of points\.csv: Unnamed: 0, a, b, word, rating.*--target"),
        (["--target", "Rating"], r"Did you mean 'rating'"),
        (["--target", "rating", "--features", "c"], r"features.* must be a column of the table"),
        (["--target", "rating", "--task", "ranking"], r"--task"),
        (["--target", "rating", "--missing", "fill"], r"--missing"),
    ],
)
def test_the_command_says_what_data_it_wants(file, command, options, message):
    """One line with the columns that there are, and status 2."""
    status, said = command("--data", "points.csv", *options)
    assert status == 2
    assert re.search(message, said), said
