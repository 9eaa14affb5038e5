import json
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import kerasteach as kt
from kerasteach.measure import recording


def fit(model, x, y, *callbacks, epochs=2, **options):
    """Train quietly on 60 examples in three batches of 20, always the same ones."""
    return model.fit(x, y, batch_size=20, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks), **options)


@pytest.fixture
def always_old(monkeypatch):
    """Let every epoch's end find the last part a second old."""
    monkeypatch.setattr(recording, "_SECONDS_A_PART", 0.0)


@pytest.fixture
def in_memory(blobs, classifier):
    """Return the tables of a capture that writes nothing."""
    capture = kt.callbacks.GradientCapture(histogram=6, raw={"output": [0, 5]})
    fit(classifier(), *blobs, capture)
    return capture


def test_a_streamed_table_is_the_one_in_memory(tmp_path, blobs, classifier, in_memory, always_old):
    """Read back from parts, or through the capture, it is the same table, histograms and gradients."""
    capture = kt.callbacks.GradientCapture(directory=tmp_path, histogram=6, raw={"output": [0, 5]})
    fit(classifier(), *blobs, capture)
    assert len(list(tmp_path.glob("run-0001/gradients-*.parquet"))) == 2
    for frame in (capture.frame, kt.measure.read(tmp_path)):
        pd.testing.assert_frame_equal(frame, in_memory.frame)
    for frame in (capture.histograms, kt.measure.read(tmp_path, table="histograms")):
        pd.testing.assert_frame_equal(frame, in_memory.histograms)
    for arrays in (capture.raw, kt.measure.read_raw(tmp_path)):
        assert list(arrays) == [0, 5]
        found, expected = (one[5]["mlp/output/kernel"] for one in (arrays, in_memory.raw))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_a_full_buffer_is_a_part(tmp_path, monkeypatch, blobs, classifier, in_memory):
    """With room for two steps, an epoch of three is written in the middle, and nothing is lost."""
    monkeypatch.setattr("kerasteach.measure.recorder.BUFFER_BYTES", 8 * 6 * 4 * 8)
    capture = kt.callbacks.GradientCapture(directory=tmp_path)
    fit(classifier(), *blobs, capture, epochs=6)
    assert len(list(tmp_path.glob("run-0001/gradients-*.parquet"))) > 1
    assert kt.measure.read(tmp_path)["step"].unique().tolist() == list(range(18))


def test_short_epochs_share_a_part(tmp_path, monkeypatch, blobs, classifier):
    """While the last part is younger than a second, epochs wait."""
    monkeypatch.setattr(recording, "_SECONDS_A_PART", float("inf"))
    fit(classifier(), *blobs, kt.callbacks.GradientCapture(directory=tmp_path), epochs=4)
    assert len(list(tmp_path.glob("run-0001/gradients-*.parquet"))) == 1


def test_each_fit_is_a_run_of_its_own(tmp_path, blobs, classifier):
    """Runs are numbered, none is overwritten, and the latest is read unless another is asked for."""
    model, capture = classifier(), kt.callbacks.GradientCapture(directory=tmp_path)
    fit(model, *blobs, capture, epochs=1)
    fit(model, *blobs, capture, epochs=3)
    fit(model, *blobs, kt.callbacks.GradientCapture(directory=tmp_path), epochs=2)
    lengths = [kt.measure.read(tmp_path, run=run)["step"].nunique() for run in (1, 2, 3)]
    assert lengths == [3, 9, 6]
    assert kt.measure.read(tmp_path)["step"].nunique() == 6
    with pytest.raises(FileNotFoundError, match="there are: 1, 2, 3"):
        kt.measure.read(tmp_path, run=4)


def test_a_run_without_a_part_is_an_empty_table(tmp_path, blobs, classifier):
    """From the first moment of a training the table can be read, with its columns and types."""
    read = []

    class Read(kt.callbacks.GradientCapture):
        def on_epoch_begin(self, epoch, logs=None):
            """Read before anything is recorded."""
            super().on_epoch_begin(epoch, logs)
            read.append(kt.measure.read(tmp_path))

    capture = Read(directory=tmp_path)
    fit(classifier(), *blobs, capture, epochs=1)
    assert read[0].empty
    assert read[0].dtypes.to_dict() == capture.frame.dtypes.to_dict()


def test_a_directory_without_runs_says_so(tmp_path):
    """Reading what is not there names the directory."""
    with pytest.raises(FileNotFoundError, match="there are: none"):
        kt.measure.read(tmp_path)


def test_a_table_that_was_not_recorded_is_an_error(tmp_path, blobs, classifier):
    """The message lists the tables of the run."""
    fit(classifier(), *blobs, kt.callbacks.GradientCapture(directory=tmp_path), epochs=1)
    with pytest.raises(ValueError, match="`table` must be one of gradients"):
        kt.measure.read(tmp_path, table="histograms")


def test_save_writes_a_run_that_reads_back(tmp_path, in_memory):
    """What was kept in memory can be saved afterwards, twice without overwriting."""
    assert in_memory.save(tmp_path).name == "run-0001"
    assert in_memory.save(tmp_path).name == "run-0002"
    pd.testing.assert_frame_equal(kt.measure.read(tmp_path), in_memory.frame)
    pd.testing.assert_frame_equal(kt.measure.read(tmp_path, table="histograms"), in_memory.histograms)
    assert list(kt.measure.read_raw(tmp_path)) == [0, 5]
    assert json.loads((tmp_path / "run-0002" / "run.json").read_text())["finished"]


def test_what_an_interrupted_fit_left_is_written_by_the_next(tmp_path, blobs, classifier):
    """The steps before Ctrl-C are in the first run, whose record says it was not finished."""

    class Interrupt(kt.callbacks.StopOnError):
        def on_train_batch_end(self, batch, logs=None):
            """Interrupt at the second step."""
            if batch == 1:
                raise KeyboardInterrupt

    model, capture = classifier(), kt.callbacks.GradientCapture(directory=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit(model, *blobs, capture, Interrupt(1.0))
    fit(model, *blobs, capture, epochs=1)
    assert kt.measure.read(tmp_path, run=1)["step"].unique().tolist() == [0, 1]
    assert not json.loads((tmp_path / "run-0001" / "run.json").read_text())["finished"]
    assert kt.measure.read(tmp_path, run=2)["step"].unique().tolist() == [0, 1, 2]


PROGRAM = """
import os, signal, sys
import keras, numpy as np, kerasteach as kt
from kerasteach.measure import recording
recording._SECONDS_A_PART = 0.0
directory, how = sys.argv[1:]

class End(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 2 and batch == 1:
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise RuntimeError("the power is gone")

model = kt.models.mlp("tanh", (5,), inputs=4, outputs=3, seed=0)
model.compile("sgd", "sparse_categorical_crossentropy")
x, y = np.ones((60, 4), "float32"), np.arange(60) % 3
capture = kt.callbacks.GradientCapture(directory=directory)
model.fit(x, y, batch_size=20, epochs=5, verbose=0, callbacks=[capture, End()])
"""


def end(directory, how):
    """Train in a process that ends at the second step of the third epoch, and return the process."""
    return subprocess.run([sys.executable, "-c", PROGRAM, directory, how], capture_output=True, text=True, check=False)


def test_a_killed_process_leaves_every_completed_part(tmp_path):
    """After SIGKILL in the third epoch, the first two are there, and no half-written file is in the way."""
    done = end(tmp_path, "kill")
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert kt.measure.read(tmp_path)["step"].unique().tolist() == list(range(6))


def test_a_program_that_ends_in_an_error_leaves_every_step(tmp_path):
    """What was recorded before an exception that nobody caught is written when Python ends."""
    done = end(tmp_path, "raise")
    assert "the power is gone" in done.stderr
    assert kt.measure.read(tmp_path)["step"].unique().tolist() == list(range(8))
