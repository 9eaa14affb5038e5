"""How many parts networks that could train together are trained in, and that a comparison keeps to its number."""

import json
import multiprocessing
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from types import SimpleNamespace

import pandas as pd
import pytest

import kerasteach as kt
from kerasteach.experiment import executor as running
from kerasteach.experiment.call import call_of
from kerasteach.experiment.fingerprint.identity import check_same
from kerasteach.experiment.groups import SMALLEST, size_of_parts
from kerasteach.experiment.workers import workers_of

SMALL = {"activations": ("tanh", "relu"), "data": "iris", "hidden": (3,), "seeds": 5, "epochs": 2, "verbose": 0}


class Silent(Executor):
    """An executor that does not say how many workers it has."""


def divided(result):
    """Return the networks of each group."""
    return [group["networks"] for group in result.facts["groups"]]


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    """Return a directory with a comparison in two parts, that of an executor of two threads, and what it came to."""
    folder = tmp_path_factory.mktemp("halves")
    with ThreadPoolExecutor(2) as executor:
        return folder, kt.compare(**SMALL, directory=folder, executor=executor, parts="workers")


@pytest.mark.parametrize("largest", [1, 3, 60])
@pytest.mark.parametrize("parts", [1, 2, 3, 7, 100])
def test_parts_are_as_many_as_the_workers_and_no_smaller_than_worth_while(largest, parts):
    """For 1 to 300 networks: no group is larger than allowed, and where the size is free, there are `parts` of them."""
    for networks in range(1, 301):
        size = size_of_parts(networks, largest, parts)
        groups, fewest = -(-networks // size), -(-networks // largest)
        assert 1 <= size <= largest
        assert size >= min(SMALLEST, largest, networks)
        assert fewest <= groups <= -(-fewest // parts) * parts


def test_parts_have_the_numbers_of_one_piece(halves):
    """All that is in the tables, but for rounding."""
    whole = kt.compare(**SMALL)
    assert [len(divided(one)) for one in (whole, halves[1])] == [1, 2]
    for name in ("history", "gradients"):
        one, other = getattr(whole, name), getattr(halves[1], name)
        pd.testing.assert_frame_equal(one, other, rtol=1e-4, atol=1e-6)


def test_the_run_names_its_parts(halves):
    """As a number, whatever decided it, and so does the call that makes it again."""
    folder, result = halves
    assert json.loads((folder / "run.json").read_text())["arguments"]["parts"] == 2
    assert kt.experiment.asked_again(folder)["parts"] == 2
    assert [{one["activation"] for one in group} for group in divided(result)] == [{"tanh"}, {"relu"}]
    assert "    parts=2," in call_of(result.facts)


@pytest.mark.slow
def test_a_comparison_goes_on_with_the_parts_it_began_with(halves, tmp_path, monkeypatch):
    """However many workers there are now, and bit for bit."""
    work = running.work

    def failing(group, *rest):
        if group.networks[0].keys["activation"] == "relu":
            raise ArithmeticError("not today")
        return work(group, *rest)

    with monkeypatch.context() as patched, ThreadPoolExecutor(2) as executor:
        patched.setattr(running, "work", failing)
        with pytest.raises(ArithmeticError):
            kt.compare(**SMALL, directory=tmp_path, executor=executor, parts="workers")
    with ThreadPoolExecutor(1) as executor:
        result = kt.compare(**SMALL, directory=tmp_path, executor=executor, parts="workers")
    assert divided(result) == divided(halves[1])
    pd.testing.assert_frame_equal(result.history, halves[1].history, check_exact=True)
    pd.testing.assert_frame_equal(result.gradients, halves[1].gradients, check_exact=True)


def test_other_parts_are_another_comparison(halves):
    """Their numbers are rounded otherwise; `overwrite` begins anew with the workers that there are now."""
    with pytest.raises(ValueError, match=r"holds a run with other arguments.*parts: 2 there, 1 here"):
        kt.compare(**SMALL, directory=halves[0])
    with pytest.raises(ValueError, match=r'`parts="workers"` needs an `executor`'):
        kt.compare(**SMALL, directory=halves[0], overwrite=True, parts="workers")
    assert kt.Comparison.load(halves[0]).facts["arguments"]["parts"] == 2


def test_a_run_without_the_number_was_in_one_piece(halves):
    """One that an earlier version began goes on with `parts=1`."""
    folder, result = halves
    facts = json.loads(json.dumps({**result.facts, "arguments": {**result.facts["arguments"], "parts": 1}}))
    earlier = {**facts, "arguments": {name: value for name, value in facts["arguments"].items() if name != "parts"}}
    check_same(folder, earlier, facts)


def test_pools_say_how_many_workers_they_have():
    """Processes, threads, and Dask's workers with all their threads."""
    with ThreadPoolExecutor(3) as threads:
        assert workers_of(threads) == 3
    assert workers_of(ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))) == 2
    dask = Silent()
    dask._client = SimpleNamespace(nthreads=lambda: {"tcp://one": 2, "tcp://other": 1})
    assert workers_of(dask) == 3


@pytest.mark.slow
def test_dask_says_how_many_workers_it_has():
    """Its own executor, of a cluster of two workers with two threads each."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        assert workers_of(client.get_executor()) == 4


@pytest.mark.parametrize("executor", [None, Silent()], ids=["none", "silent"])
def test_workers_that_nobody_counts_need_a_number(executor):
    """The error says what will do."""
    with pytest.raises(ValueError, match=r'`parts="workers"` needs an `executor` that has workers.*as in parts=4'):
        kt.compare(**SMALL, executor=executor, parts="workers")


@pytest.mark.parametrize("parts", [0, 2.5, True, None, "many"])
def test_other_parts_are_refused(parts):
    """The error names the argument and what it received."""
    with pytest.raises((TypeError, ValueError), match=rf"`parts` must be .*Received: parts={parts!r}"):
        kt.compare(**SMALL, parts=parts)
