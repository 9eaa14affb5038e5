import json

import numpy as np
import pandas as pd
import pytest

from kerasteach.measure import history_table
from kerasteach.storage.files import write_atomically
from kerasteach.storage.runs import load_run, save_run
from kerasteach.tables.captures import Parameter, tidy_table, with_keys

PARAMETERS = [Parameter("dense", 1, "kernel", "m/dense/kernel", 6), Parameter("dense", 1, "bias", "m/dense/bias", 2)]


def table():
    """Return the table of three steps in two epochs."""
    values = np.arange(12, dtype="float64").reshape(3, 2, 2)
    values[:, :, 1] = 1
    values[1, 0, 1] = 0
    return tidy_table(Parameter, PARAMETERS, ["norm", "finite"], [0, 0, 1], [0, 1, 2], values)


def test_gradients_have_a_row_a_step_and_variable():
    """Steps vary slowly, variables fast."""
    frame = table()
    assert frame["step"].tolist() == [0, 0, 1, 1, 2, 2]
    assert frame["parameter"].tolist() == ["kernel", "bias"] * 3
    assert frame["norm"].tolist() == [0, 2, 4, 6, 8, 10]
    assert frame["finite"].tolist() == [True, True, False, True, True, True]


def test_a_history_has_a_row_an_epoch_and_metric():
    """Keras's dictionary of lists becomes tidy."""
    frame = history_table({"loss": [0.9, 0.4], "accuracy": [0.5, 0.8]})
    assert frame.values.tolist() == [[0, "loss", 0.9], [1, "loss", 0.4], [0, "accuracy", 0.5], [1, "accuracy", 0.8]]


def test_a_history_without_epochs_has_its_columns():
    """Nothing trained gives an empty table."""
    assert list(history_table({})) == ["epoch", "metric", "value"]


def test_validation_at_some_epochs_keeps_their_numbers():
    """With validation_freq=2 the validation values belong to every second epoch."""
    history = {"loss": [0.9, 0.4, 0.3, 0.2, 0.1], "val_loss": [0.5, 0.25]}
    frame = history_table(history, validation_freq=2)
    assert frame[frame["metric"] == "val_loss"]["epoch"].tolist() == [1, 3]
    with pytest.raises(ValueError, match="Received: validation_freq=1, 2 values of val_loss, 5 epochs"):
        history_table(history)


def test_keys_come_first():
    """What varies stands in front."""
    assert list(with_keys(table(), {"activation": "relu", "seed": 3}))[:3] == ["activation", "seed", "epoch"]


def test_a_run_comes_back_as_it_was(tmp_path):
    """Tables and facts survive the disk."""
    save_run(tmp_path / "run", {"seeds": [0, 1]}, {"gradients": table()})
    facts, tables = load_run(tmp_path / "run")
    assert facts == {"seeds": [0, 1]}
    pd.testing.assert_frame_equal(tables["gradients"], table())


def test_a_run_is_not_overwritten_unasked(tmp_path):
    """A second run in one directory needs to be asked for."""
    save_run(tmp_path, {"number": 1}, {})
    with pytest.raises(FileExistsError, match="There is a run already"):
        save_run(tmp_path, {"number": 2}, {})
    save_run(tmp_path, {"number": 2}, {}, overwrite=True)
    assert load_run(tmp_path)[0] == {"number": 2}


def test_facts_that_cannot_be_written_destroy_nothing(tmp_path):
    """A run that fails to be saved leaves the old one whole."""
    save_run(tmp_path, {"number": 1}, {"gradients": table()})
    with pytest.raises(TypeError, match="JSON"):
        save_run(tmp_path, {"number": {1}}, {}, overwrite=True)
    assert load_run(tmp_path)[0] == {"number": 1}


def test_other_files_in_the_directory_are_no_tables(tmp_path):
    """Only the tables that the run names are read."""
    save_run(tmp_path, {}, {"gradients": table()})
    (tmp_path / "notes.parquet").write_text("mine")
    assert list(load_run(tmp_path)[1]) == ["gradients"]


def test_a_directory_without_a_run_says_so(tmp_path):
    """A run without its run.json was never finished."""
    with pytest.raises(FileNotFoundError, match=r"no run\.json"):
        load_run(tmp_path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    """What is half-written goes."""
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(1))

    def fail(temporary):
        temporary.write_text("half")
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        write_atomically(path, fail)
    assert [file.name for file in tmp_path.iterdir()] == ["facts.json"]
    assert json.loads(path.read_text()) == 1


@pytest.mark.parametrize("history", [None, 5, "loss", [0.5], {"loss": None}, {"loss": ["a"]}])
def test_what_is_no_history_is_refused(history):
    """The error says what would do."""
    with pytest.raises(TypeError, match=r"`history.* must be .*Received: history"):
        history_table(history)


@pytest.mark.parametrize("often", [0, None, 2.5, 10**30])
def test_how_often_was_validated_is_a_whole_number(often):
    """From 1 on, as `fit` takes it."""
    with pytest.raises(ValueError, match="`validation_freq` must be a whole number from 1"):
        history_table({"loss": [0.5]}, often)


def test_a_link_in_the_place_of_a_file_is_replaced(tmp_path):
    """What a link leads to is not written, and temporary names cannot be foreseen."""
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "facts.json").symlink_to(tmp_path / "victim")
    names = []

    def write(temporary):
        names.append(temporary.name)
        temporary.write_text("ours")

    for _ in range(2):
        write_atomically(tmp_path / "facts.json", write)
    assert (tmp_path / "victim").read_text() == "mine"
    assert not (tmp_path / "facts.json").is_symlink()
    assert (tmp_path / "facts.json").read_text() == "ours"
    assert len(set(names)) == 2


def test_a_long_name_can_be_written(tmp_path):
    """The temporary name is short."""
    path = tmp_path / ("a" * 250 + ".txt")
    write_atomically(path, lambda temporary: temporary.write_text("ours"))
    assert path.read_text() == "ours"
