import multiprocessing
import os
import signal
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import keras
import pandas as pd
import pytest

import kerasteach as kt
from kerasteach.experiment import executor as running

PROGRAMS = Path(__file__).parent / "programs"
ACTIVATIONS = ("sigmoid", "tanh", "relu")
# The norm mixes the entries of a variable, so that networks are trained one after the other, a group a variant.
CLIPPED = keras.optimizers.SGD(0.1, clipnorm=1.0)
SMALL = {"data": "iris", "seeds": 2, "epochs": 2, "optimizer": CLIPPED, "verbose": 0}


class Here(Executor):
    """Does each task at once, in this process, and breaks at one of them, or cancels it."""

    def __init__(self, breaks_at=None, cancels=False):
        self.breaks_at, self.cancels, self.tasks = breaks_at, cancels, 0

    def submit(self, task, /, *arguments):
        future = Future()
        self.tasks += 1
        if self.breaks_at is not None and self.tasks > self.breaks_at:
            if self.cancels:
                future.cancel()
                future.set_running_or_notify_cancel()
                return future
            future.set_exception(BrokenExecutor("a process died"))
        else:
            try:
                future.set_result(task(*arguments))
            except Exception as error:
                future.set_exception(error)
        return future


@pytest.fixture(scope="module")
def builders():
    """Return a module that other processes can import, too."""
    sys.path.insert(0, str(PROGRAMS))
    try:
        import builders

        yield builders
    finally:
        sys.path.remove(str(PROGRAMS))


@pytest.fixture(scope="module")
def expected(builders):
    """Return what comes out without an executor."""
    return kt.compare(ACTIVATIONS, models={"mine": builders.network}, **SMALL)


def assert_same(found, expected):
    """Raise unless the tables are the same, paths and layers' names included.

    Another process may compute with another number of threads, and so round otherwise: by 1e-7 a step.
    """
    pd.testing.assert_frame_equal(found.history, expected.history, rtol=1e-4, atol=1e-6)
    pd.testing.assert_frame_equal(found.gradients, expected.gradients, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_any_executor_takes_the_groups(builders, expected):
    """Each group is a task; the tables are those of one process."""
    executor = Here()
    assert_same(kt.compare(ACTIVATIONS, models={"mine": builders.network}, **SMALL, executor=executor), expected)
    assert executor.tasks == 3
    with ThreadPoolExecutor(2) as threads:  # which need not pickle anything
        models = {"mine": lambda activation: builders.network(activation)}
        assert_same(kt.compare(ACTIVATIONS, models=models, **SMALL, executor=threads), expected)


@pytest.mark.slow
def test_processes_give_the_same_tables(builders, expected):
    """Two processes that were spawned train what this one would have trained."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert_same(kt.compare(ACTIVATIONS, models={"mine": builders.network}, **SMALL, executor=executor), expected)


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("cancels", [False, True])
def test_a_broken_executor_loses_nothing(cancels, builders, tmp_path, monkeypatch):
    """What it gave is kept, and the rest is trained here, with a warning."""
    arguments = {"activations": ACTIVATIONS[:2], "models": {"mine": builders.network}, **SMALL}
    expected = kt.compare(**arguments)
    here = []
    work = running.work
    monkeypatch.setattr(running, "work", lambda group, *rest: here.append(group) or work(group, *rest))
    with pytest.warns(
        UserWarning, match=r"The executor broke.*the other 1 of 2 groups of networks are trained in this"
    ):
        result = kt.compare(**arguments, directory=tmp_path, executor=Here(breaks_at=1, cancels=cancels))
    assert len(here) == 1 + 1
    assert_same(result, expected)


@pytest.mark.slow
def test_an_error_in_one_group_keeps_the_others(builders, tmp_path, monkeypatch):
    """It is raised when the groups that were begun are done, and they stay on disk."""
    work = running.work

    def failing(group, *rest):
        if group.networks[0].keys["activation"] == "sigmoid":
            raise ArithmeticError("not today")
        return work(group, *rest)

    monkeypatch.setattr(running, "work", failing)
    arguments = {"models": {"mine": builders.network}, **SMALL, "directory": tmp_path}
    with pytest.raises(ArithmeticError, match="not today") as error:
        kt.compare(ACTIVATIONS, **arguments, executor=Here())
    assert error.value.__notes__[0].startswith("4 of 6 networks are kept")
    assert kt.Comparison.load(tmp_path).history["activation"].unique().tolist() == ["tanh", "relu"]


def test_what_cannot_be_sent_is_refused_before_the_first_run():
    """A lambda does not reach another process; nothing is started for it."""
    executor = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    with pytest.raises(
        TypeError, match=r"define them with `def` at the top of a module.*Received: .*cannot be pickled"
    ):
        kt.compare({"mine": lambda x: x}, **SMALL, executor=executor)
    assert not executor._processes
    with pytest.raises(TypeError, match=r"`executor` must be a concurrent\.futures\.Executor.*Received: int"):
        kt.compare("relu", **SMALL, executor=2)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs a system that forks")
def test_a_pool_that_forks_is_refused():
    """TensorFlow would wait for ever in it; the error has the pool that works."""
    executor = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork"))
    with pytest.raises(
        ValueError, match=r'does not survive a fork.*mp_context=multiprocessing\.get_context\("spawn"\)'
    ):
        kt.compare("relu", **SMALL, executor=executor)
    assert not executor._processes


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal to die of")
@pytest.mark.parametrize("killed_by", ["SIGKILL", "SIGTERM"])
def test_workers_end_with_their_parent(killed_by):
    """However the process that has the pool ends, an idle worker ends, too: it holds a pipe open until then."""
    program = [sys.executable, str(PROGRAMS / "orphans.py")]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert len(parent.stdout.readline().split()) == 2
        parent.send_signal(getattr(signal, killed_by))
        assert parent.stdout.read() == ""  # which ends when no process holds the pipe any more


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal to die of")
def test_processes_of_which_one_dies_lose_nothing(builders, expected, tmp_path):
    """A pool of processes is broken for good then: the rest is trained here, and the tables are the same."""
    build = partial(builders.deadly, str(tmp_path), os.getpid())
    arguments = {"models": {"mine": build}, **SMALL, "directory": tmp_path / "run"}
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor,
        pytest.warns(UserWarning, match="The executor broke.*the other 1 of 3"),
    ):
        result = kt.compare(ACTIVATIONS, **arguments, executor=executor)
    assert (tmp_path / "died").exists()
    assert_same(result, expected)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal to die of")
def test_a_dask_worker_that_dies_costs_a_retry(builders, expected, tmp_path, monkeypatch):
    """On a scheduler with two worker processes, the group of a worker that died is trained by another."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("PYTHONPATH", str(PROGRAMS))
    build = partial(builders.deadly, str(tmp_path), os.getpid())
    options = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        result = kt.compare(ACTIVATIONS, models={"mine": build}, **SMALL, executor=client.get_executor())
    assert (tmp_path / "died").exists()
    assert_same(result, expected)
