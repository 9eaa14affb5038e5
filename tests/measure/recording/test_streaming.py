import copy
import errno
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pandas as pd
import pytest
from batches import batches

import kerasteach as kt
from kerasteach.measure.recording import recording
from kerasteach.storage import stream


def fit(model, x, y, *callbacks, epochs=2, **options):
    """Train quietly on 60 examples in three batches of 20, always the same ones."""
    return model.fit(batches(x, y, 20), epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks), **options)


@pytest.fixture
def always_old(monkeypatch):
    """Let every epoch's end find the last part a second old."""
    monkeypatch.setattr(recording, "_SECONDS_A_PART", 0.0)


@pytest.fixture(scope="module")
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
    monkeypatch.setattr("kerasteach.measure.hooks.recorder.BUFFER_BYTES", 8 * 6 * 4 * 8)
    capture = kt.callbacks.GradientCapture(directory=tmp_path)
    fit(classifier(), *blobs, capture, epochs=6)
    assert len(list(tmp_path.glob("run-0001/gradients-*.parquet"))) > 1
    assert kt.measure.read(tmp_path)["step"].unique().tolist() == list(range(18))


def test_short_epochs_share_a_part(tmp_path, monkeypatch, blobs, classifier):
    """While the last part is younger than a second, epochs wait."""
    monkeypatch.setattr(recording, "_SECONDS_A_PART", float("inf"))
    model = classifier(run_eagerly=True)
    fit(model, *blobs, kt.callbacks.GradientCapture(directory=tmp_path), epochs=3)
    assert len(list(tmp_path.glob("run-0001/gradients-*.parquet"))) == 1
    assert kt.measure.read(tmp_path)["epoch"].unique().tolist() == [0, 1, 2]


@pytest.mark.slow
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
    fit(classifier(run_eagerly=True), *blobs, capture, epochs=1)
    assert read[0].empty
    assert read[0].dtypes.to_dict() == capture.frame.dtypes.to_dict()


def test_a_directory_without_runs_says_so(tmp_path):
    """Reading what is not there names the directory."""
    with pytest.raises(FileNotFoundError, match="there are: none"):
        kt.measure.read(tmp_path)


def test_a_table_that_was_not_recorded_is_an_error(tmp_path):
    """The message lists the tables of the run."""
    stream.Stream(tmp_path, {"gradients": {"norm": "float64"}}, {}).finish()
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


class Run(keras.callbacks.Callback):
    """Call a function at the end of a batch, which is counted through all epochs."""

    def __init__(self, batch, function):
        super().__init__()
        self.function, self.left = function, batch

    def on_train_batch_end(self, batch, logs=None):
        """Count down."""
        if self.left == 0:
            self.function()
        self.left -= 1


def failing(monkeypatch, name, times):
    """Let the disk be full at the first so many calls of a function of the streams; return how often it was."""
    write, failed = getattr(stream, name), []

    def full(path, *arguments):
        if len(failed) < times:
            failed.append(path)
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, *arguments)

    monkeypatch.setattr(stream, name, full)
    return failed


@pytest.mark.slow
@pytest.mark.parametrize("name", ["write_table", "write_arrays"])
def test_a_part_that_cannot_be_written_is_written_later(tmp_path, monkeypatch, name, blobs, classifier, in_memory):
    """The training goes on with one warning, all rows can be seen meanwhile, and none is on disk twice in the end."""
    failed = failing(monkeypatch, name, 2)
    monkeypatch.setattr(recording, "_SECONDS_A_PART", 0.0)
    capture, seen = kt.callbacks.GradientCapture(directory=tmp_path, histogram=6, raw={"output": [0, 5]}), []

    def look():
        seen.append((capture.frame["step"].nunique(), list(tmp_path.glob("run-0001/*-*"))))

    with pytest.warns(UserWarning, match="cannot be written.*No space left.*stays in memory") as warned:
        fit(classifier(), *blobs, capture, Run(3, look))
    assert len(warned) == 1
    assert len(failed) == 2
    assert seen == [(4, [])]
    pd.testing.assert_frame_equal(capture.frame, in_memory.frame)
    pd.testing.assert_frame_equal(kt.measure.read(tmp_path), in_memory.frame)
    pd.testing.assert_frame_equal(kt.measure.read(tmp_path, table="histograms"), in_memory.histograms)
    assert list(kt.measure.read_raw(tmp_path)) == [0, 5]
    assert json.loads((tmp_path / "run-0001" / "run.json").read_text())["finished"]


def test_a_disk_that_stays_full_ends_no_training(tmp_path, monkeypatch, blobs, classifier, in_memory):
    """The rows are in memory, can be saved elsewhere, and the same capture records the next training."""
    failing(monkeypatch, "write_table", 10**6)
    model, capture = classifier(), kt.callbacks.GradientCapture(directory=tmp_path / "full")
    with pytest.warns(UserWarning, match="cannot be written") as warned:
        fit(model, *blobs, capture)
    assert len(warned) == 1
    pd.testing.assert_frame_equal(capture.frame, in_memory.frame)
    monkeypatch.undo()
    capture.save(tmp_path / "other")
    pd.testing.assert_frame_equal(kt.measure.read(tmp_path / "other"), in_memory.frame)
    fit(model, *blobs, capture)
    setting = {"hidden": [5, 4], "learning_rates": {"PlainSGD": 0.5}}
    assert kt.measure.read(tmp_path / "full", run=1).attrs == {"finished": False, "setting": setting}
    assert kt.measure.read(tmp_path / "full", run=2)["step"].nunique() == 6


def test_a_folder_that_is_removed_meanwhile_ends_no_training(tmp_path, blobs, classifier, always_old):
    """What was written is gone, and the error says so; what comes later is on disk."""
    capture = kt.callbacks.GradientCapture(directory=tmp_path)
    fit(classifier(run_eagerly=True), *blobs, capture, Run(4, lambda: shutil.rmtree(tmp_path / "run-0001")))
    with pytest.raises(kt.measure.DamagedRunError, match=r"gradients-000001\.parquet .* is missing") as error:
        kt.measure.read(tmp_path)
    assert pd.read_parquet(error.value.readable[0])["step"].unique().tolist() == [3, 4, 5]
    with pytest.warns(UserWarning, match="only what is in memory is here"):
        assert capture.frame.empty


def test_another_thread_sees_whole_steps_only(tmp_path, blobs, classifier):
    """While a thread trains, another one that looks has a beginning of the final table, and takes nothing from it."""
    capture, seen = kt.callbacks.GradientCapture(directory=tmp_path), []
    with ThreadPoolExecutor(1) as other:
        look = Run(4, lambda: seen.append(other.submit(lambda: capture.frame).result()))
        fit(classifier(), *blobs, capture, look, epochs=3)
    assert seen[0]["step"].unique().tolist() == [0, 1, 2]
    assert capture.frame["step"].tolist() == np.repeat(range(9), 6).tolist()
    pd.testing.assert_frame_equal(seen[0], capture.frame[:18])


@pytest.mark.slow
def test_a_second_thread_is_refused(blobs, classifier):
    """A capture that records in one thread cannot in another at the same time; afterwards it can."""
    capture = kt.callbacks.GradientCapture()

    def train():
        fit(classifier(), *blobs, capture, epochs=1)

    with ThreadPoolExecutor(1) as other:

        def try_there():
            with pytest.raises(RuntimeError, match="GradientCapture records one training at a time"):
                other.submit(train).result()

        fit(classifier(), *blobs, capture, Run(1, try_there), epochs=1)
        assert capture.frame["step"].nunique() == 3
        other.submit(train).result()
        assert capture.frame["step"].nunique() == 3


def test_a_thread_that_is_about_to_start_is_not_a_second_one(blobs, classifier, monkeypatch):
    """Python lists a thread before it has an identity; a capture that no thread uses yet may train then."""
    there = threading.enumerate()
    monkeypatch.setattr(threading, "enumerate", lambda: [*there, threading.Thread()])
    capture = kt.callbacks.GradientCapture()
    fit(classifier(), *blobs, capture, epochs=1)
    assert capture.frame["step"].nunique() == 3


def test_after_an_interrupted_training_another_thread_may_train(blobs, classifier):
    """Once the capture is detached, as the error says; the thread of the interrupted training is still there."""
    capture = kt.callbacks.GradientCapture()
    with ThreadPoolExecutor(1) as other:
        interrupted = other.submit(fit, classifier(), *blobs, capture, Run(1, lambda: 1 / 0))
        assert isinstance(interrupted.exception(), ZeroDivisionError)
        with pytest.raises(RuntimeError, match=r"call `detach\(\)` first"):
            fit(classifier(), *blobs, capture)
        capture.detach()
        assert capture.frame["step"].nunique() == 2
        fit(classifier(), *blobs, capture)
    assert capture.frame["step"].nunique() == 6


def test_the_home_folder_is_expanded_once(tmp_path, monkeypatch, blobs, classifier):
    """`~` is the home folder for whatever writes and reads, and no folder is called so."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    capture = kt.callbacks.GradientCapture(directory="~/a", tensorboard="~/b", raw={"output": 0})
    monkeypatch.chdir("/")
    fit(classifier(run_eagerly=True), *blobs, capture, epochs=1)
    capture.save("~/c")
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["a", "b", "c"]
    assert len(kt.measure.read("~/a")) == len(kt.measure.read("~/c")) == 18
    assert list(kt.measure.read_raw("~/a")) == [0]
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.slow
def test_a_copied_and_a_pickled_capture_stream_on(tmp_path, blobs, classifier):
    """Copies have no open file or lock of the first, and write runs of their own."""
    capture = kt.callbacks.GradientCapture(directory=tmp_path)
    fit(classifier(), *blobs, capture, epochs=1)
    capture.set_model(None)
    for copied in (copy.deepcopy(capture), pickle.loads(pickle.dumps(capture))):
        fit(classifier(), *blobs, copied, epochs=1)
        assert copied.frame["step"].nunique() == 3
    assert len(list(tmp_path.iterdir())) == 3


PROGRAM = """
import os, signal, sys, threading, time
import keras, numpy as np, kerasteach as kt
from kerasteach.measure.recording import recording
from kerasteach.storage import stream
recording._SECONDS_A_PART = 0.0
directory, how = sys.argv[1:3]
for way in how.split("+"):  # each in a child, forked before TensorFlow starts anything
    child = "+" in how and os.fork()
    if child:
        print(way, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    else:
        directory, how = (f"{directory}/{way}", way) if "+" in how else (directory, how)
        break
else:
    sys.exit()

class End(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 2 and batch == 1:
            if how != "raise":
                os.kill(os.getpid(), getattr(signal, how))
            raise RuntimeError("the power is gone")

model = kt.models.mlp("tanh", (5,), inputs=4, outputs=3, seed=0)
model.compile("sgd", "sparse_categorical_crossentropy")
x, y = np.ones((60, 4), "float32"), np.arange(60) % 3
everything = {"histogram": 6, "raw": {"output": range(100)}}
capture = kt.callbacks.GradientCapture(directory=directory, **everything)
if len(sys.argv) > 3:
    exec(sys.argv[3])
model.fit(x, y, batch_size=20, epochs=5, verbose=0, callbacks=[capture, End()])
"""


def end(directory, how, before=""):
    """Train in a process that ends at the second step of the third epoch, and return the process."""
    command = [sys.executable, "-c", PROGRAM, directory, how, before]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def assert_steps(directory, number):
    """Raise unless all tables of a run, and the whole gradients, have the same first steps."""
    tables = [kt.measure.read(directory, table=name) for name in ("gradients", "histograms")]
    assert [table["step"].unique().tolist() for table in tables] == [list(range(number))] * 2
    assert list(kt.measure.read_raw(directory)) == list(range(number))


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Kill trainings by signals, and return where they wrote, and the exit status of each."""
    folder = tmp_path_factory.mktemp("killed")
    done = end(folder, "SIGKILL+SIGTERM", 'model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)')
    assert done.returncode == 0, done.stderr
    return folder, dict(line.split() for line in done.stdout.splitlines())


def test_sigterm_writes_every_step_before_it_ends_the_process(tmp_path, monkeypatch, blobs, classifier):
    """The last step is on disk when the signal is sent again, which then ends the process as it does by default."""
    capture = kt.callbacks.GradientCapture(directory=tmp_path, histogram=6, raw={"output": range(100)})
    sent = []

    def kill(*arguments):
        sent.append((*arguments, signal.getsignal(signal.SIGTERM)))
        assert_steps(tmp_path, 5)

    def terminate():
        with monkeypatch.context() as patched:
            patched.setattr(os, "kill", kill)
            signal.raise_signal(signal.SIGTERM)

    fit(classifier(run_eagerly=True), *blobs, capture, Run(4, terminate))
    assert sent == [(os.getpid(), signal.SIGTERM, signal.SIG_DFL)]


@pytest.mark.slow
def test_a_killed_process_leaves_every_completed_part(killed):
    """After SIGKILL in the third epoch, the first two are there, and no half-written file is in the way."""
    folder, statuses = killed
    assert int(statuses["SIGKILL"]) == -signal.SIGKILL
    assert_steps(folder / "SIGKILL", 6)


@pytest.mark.slow
def test_a_program_that_ends_in_an_error_leaves_every_step(tmp_path):
    """What was recorded before an exception that nobody caught is written when Python ends."""
    done = end(tmp_path, "raise")
    assert "the power is gone" in done.stderr
    assert_steps(tmp_path, 8)


@pytest.mark.slow
def test_a_signal_loses_no_step(killed):
    """SIGTERM ends the process as it does without a capture, and every step that was done is on disk."""
    folder, statuses = killed
    assert int(statuses["SIGTERM"]) == -signal.SIGTERM
    assert_steps(folder / "SIGTERM", 8)


@pytest.mark.slow
def test_ctrl_c_loses_no_step(tmp_path):
    """It ends the process as SIGTERM does, and every step is on disk."""
    done = end(tmp_path, "SIGINT")
    assert done.returncode == -signal.SIGINT, done.stderr
    assert_steps(tmp_path, 8)


@pytest.mark.slow
def test_a_handler_of_the_programs_own_stays(tmp_path):
    """Where the program handles SIGTERM itself, it is asked, and what it raises ends the training."""
    before = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))"
    done = end(tmp_path, "SIGTERM", before)
    assert done.returncode == 7, done.stderr
    assert_steps(tmp_path, 8)


@pytest.mark.slow
def test_many_rows_are_written_at_pythons_end(tmp_path):
    """More rows than Arrow turns into a table without threads, which nobody can start any more then."""
    before = """
recording._SECONDS_A_PART = float("inf")
class Last(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 20:
            raise RuntimeError("the power is gone")
model.fit(x, y, batch_size=1, epochs=50, verbose=0, callbacks=[capture, Last()])
"""
    done = end(tmp_path, "raise", before)
    assert done.stderr.count("Error") == 1, done.stderr
    frame = kt.measure.read(tmp_path)
    assert frame["step"].unique().tolist() == list(range(21 * 60))
    assert kt.measure.read(tmp_path, table="histograms")["step"].max() == 21 * 60 - 1


def test_the_handler_is_there_for_the_training_only(tmp_path, blobs, classifier):
    """Before and after a fit, and in one that writes nothing, SIGTERM is handled by default."""
    handlers = []

    def note():
        handlers.append(signal.getsignal(signal.SIGTERM))

    for options in ({}, {"directory": tmp_path}):
        model = classifier(run_eagerly=True)
        fit(model, *blobs, kt.callbacks.GradientCapture(**options), Run(1, note), epochs=1)
        note()
    assert [handler is signal.SIG_DFL for handler in handlers] == [True, True, False, True]


def test_a_detached_capture_leaves_sigterm_to_its_default(tmp_path, blobs, classifier):
    """After a fit that ended in an exception, `detach` takes the handler of SIGTERM back, too."""

    class Interrupts(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("an interruption")

    with kt.callbacks.GradientCapture(directory=tmp_path) as capture, pytest.raises(RuntimeError, match="interruption"):
        fit(classifier(run_eagerly=True), *blobs, capture, Interrupts(), epochs=1)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_tape_that_writes_nothing_leaves_sigterm_alone(tmp_path, blobs, classifier):
    """Only a tape with a directory has something to save before SIGTERM ends the process."""
    model, handled = classifier(), []
    for options in ({}, {"directory": tmp_path}):
        with kt.measure.record(model.optimizer, model, **options):
            model.train_on_batch(*blobs)
            handled.append(signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL)
    assert handled == [False, True]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_tape_that_fails_to_fetch_leaves_the_optimizer_as_it_was(monkeypatch, blobs, classifier):
    """An error at the end of the block takes the hook from the optimizer all the same."""
    model = classifier()
    before = dict(vars(model.optimizer))
    tape = kt.measure.record(model.optimizer, model)

    def fail():
        raise RuntimeError("the device is gone")

    tape.__enter__()
    model.train_on_batch(*blobs)
    monkeypatch.setattr(tape, "_fetch", fail)
    with pytest.raises(RuntimeError, match="the device is gone"):
        tape.__exit__(None, None, None)
    assert vars(model.optimizer).get("apply") is before.get("apply")


def test_a_run_that_another_one_holds_for_a_moment_is_finished(tmp_path, monkeypatch):
    """A new run that finds its folder held by the search of a neighbor is written like any other."""

    def held(directory):
        raise BlockingIOError(errno.EAGAIN, "held", str(directory))

    monkeypatch.setattr(stream, "hold", held)
    run = stream.Stream(tmp_path, {"gradients": {"norm": "float64"}}, {})
    run.write({"gradients": pd.DataFrame({"norm": [1.0]})}, {})
    run.finish()
    assert kt.measure.read(tmp_path).attrs["finished"]
