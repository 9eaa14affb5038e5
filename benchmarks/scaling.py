"""How many workers a comparison can use: a simulation from measured times, and Dask beside it.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --table simulation  # 10,000 networks on 1 to 256 workers
    python benchmarks/scaling.py --table dask        # 90 networks on 1, 2 and 4 local workers, beside the prediction

A worker is a process on a core of its own. Its times are processor seconds, measured in a process that is kept to one
core, so that they mean the same on a machine that others use: a worker that has its core to itself takes so long.
"""

from __future__ import annotations

import argparse
import heapq
import os
import pickle
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

BANDWIDTH = 100e6  # bytes a second, of a network of 1 Gbit/s
SIZES = (1, 10, 20, 40, 60)  # copies whose time is measured; in between it is interpolated
ACTIVATIONS = 3  # of a comparison, one after the other
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Costs(NamedTuple):
    """What a comparison is made of, in seconds.

    Attributes:
        start: Until a new worker can train: Python, TensorFlow and Keras.
        groups: A group of one activation by its number of networks.
        activation: Each further activation in a group, which is traced by itself.
        send: What the caller does for a group before it is trained, with the transfer.
        receive: What it does for a group's tables: the transfer, reading, writing to disk; a network's share.
        finish: What it does in the end, for the tables of all: a network's share.
    """

    start: float
    groups: dict[int, float]
    activation: float
    send: float
    receive: float
    finish: float

    def group(self, networks: int, activations: int = 1) -> float:
        """Return the seconds of a group, interpolated between those that were measured."""
        import numpy as np

        alike = np.interp(networks, list(self.groups), list(self.groups.values()))
        return float(alike) + (activations - 1) * self.activation


def processor_seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a processor worked for this process, and what came out."""
    before = time.process_time()
    result = run()
    return time.process_time() - before, result


def one_core(number: int = 0) -> None:
    """Keep this process to one core, before TensorFlow counts them."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[number % len(cores)]})


def measure(epochs: int, sizes: Sequence[int], rounds: int) -> Costs:
    """Measure what a comparison is made of, in this process."""
    import numpy as np

    import kerasteach as kt
    from kerasteach.experiment import comparison, run_directory
    from kerasteach.experiment.groups import work
    from kerasteach.experiment.networks import Group

    it = _speed()
    plan = it.plan_of(epochs)
    work(Group(it.plan_of(1), it.copies_of(it.network, 1)), "cpu", False)
    start = time.process_time()  # all that this process did so far
    copies = {size: _of_one_activation(it, size) for size in sizes}
    size = max(sizes)
    several = it.copies_of(it.network, size)  # of all activations
    spent: dict[int, list[float]] = {0: [], **{size: [] for size in sizes}}
    for _ in range(rounds):
        for number, networks in {0: several, **copies}.items():
            group = Group(plan, networks)
            seconds, outcome = processor_seconds(partial(work, group, "cpu", False))
            spent[number].append(seconds)
    medians = {number: float(np.median(seconds)) for number, seconds in spent.items()}
    mixed = medians.pop(0)
    sending, task = processor_seconds(partial(pickle.dumps, group))
    answer = pickle.dumps(outcome)
    facts = kt.compare("tanh", data=it.DATA, seeds=size, hidden=(2,), epochs=1, every=None, verbose=0).facts
    facts = {**facts, "finished": False}
    with tempfile.TemporaryDirectory() as name, run_directory.run_directory(Path(name), facts):
        folder = Path(name)
        receiving, _ = processor_seconds(lambda: run_directory.write_group(folder, 0, pickle.loads(answer)))
        finishing, _ = processor_seconds(lambda: _finish(folder, comparison.assembled(facts, [outcome])))
    return Costs(
        start,
        medians,
        max(0.0, mixed - medians[size]) / (ACTIVATIONS - 1),
        sending + len(task) / BANDWIDTH,
        (receiving + len(answer) / BANDWIDTH) / size,
        finishing / size,
    )


def _speed() -> Any:
    import comparison_speed

    return comparison_speed


def _of_one_activation(it: Any, copies: int) -> list[Any]:
    """Return copies as a part of a large comparison has them: other seeds of one activation."""
    found = [one for one in it.copies_of(it.network, ACTIVATIONS * copies) if one.keys["activation"] == "tanh"]
    return found[:copies]


def _finish(folder: Path, result: Any) -> None:
    """Write the whole comparison, as `compare` does in the end."""
    from kerasteach.experiment import run_directory

    run_directory.finish(folder, result.facts, result._tables(), [])


def simulate(networks: int, workers: int, costs: Costs, started: bool = False) -> dict[str, float]:
    """Return how long a comparison takes: groups go to the worker that is free first, results through the caller.

    Args:
        networks: How many could all train together.
        workers: How many workers there are.
        costs: What was measured.
        started: Whether the workers are there already. Defaults to `False`.
    """
    from kerasteach.experiment.ensemble.eligibility import LARGEST
    from kerasteach.experiment.groups import size_of_parts

    size = size_of_parts(networks, LARGEST, workers)
    groups = {first: min(size, networks - first) for first in range(0, networks, size)}
    free = [0.0 if started else costs.start] * workers
    heapq.heapify(free)
    ends = []
    for number, (first, copies) in enumerate(groups.items(), 1):
        begin = max(heapq.heappop(free), number * costs.send)
        end = begin + costs.group(copies, _activations(first, copies, networks))
        heapq.heappush(free, end)
        ends.append((end, copies))
    caller = len(groups) * costs.send
    for end, copies in sorted(ends):
        caller = max(caller, end) + copies * costs.receive
    alone = len(groups) * costs.send + networks * (costs.receive + costs.finish)
    return {"groups": len(groups), "networks each": size, "seconds": caller + networks * costs.finish, "caller": alone}


def _activations(first: int, copies: int, networks: int) -> int:
    """Return how many activations a group has: the networks of each lie one after the other."""
    return (first + copies - 1) * ACTIVATIONS // networks - first * ACTIVATIONS // networks + 1


def in_a_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a new process on one core."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=one_core) as executor:
        return executor.submit(function, *arguments).result()


def show(costs: Costs, epochs: int) -> None:
    """Print what was measured."""
    print(f"64-32x6-10 on the digits, {epochs} epochs, a core a worker; seconds of a processor:")
    print(f"a worker starts in {costs.start:.1f}; a group of", end=" ")
    print(", ".join(f"{size}: {seconds:.1f}" for size, seconds in costs.groups.items()), end="; ")
    print(f"each further activation in it: {costs.activation:.1f}")
    print(
        f"the caller: {1000 * costs.send:.1f} ms a group sent, {1000 * costs.receive:.2f} ms a network received, "
        f"{1000 * costs.finish:.2f} ms a network in the end",
        flush=True,
    )


def simulation_table(costs: Costs, epochs: int, rounds: int) -> None:
    """Simulate 10,000 networks on 1 to 256 workers."""
    import pandas as pd

    table = pd.DataFrame([{"workers": workers, **simulate(10_000, workers, costs)} for workers in WORKERS])
    table["speedup"] = table["seconds"].iloc[0] / table["seconds"]
    table["efficiency"] = table["speedup"] / table["workers"]
    print("\n10,000 networks, simulated; caller: the seconds of it that no worker can take over")
    shown = table.round({"seconds": 0, "caller": 1, "speedup": 1, "efficiency": 2})
    print(shown.to_string(index=False), flush=True)


def dask_table(costs: Costs, epochs: int, rounds: int) -> None:
    """Train 90 networks on local workers of Dask, each kept to a core, beside what is predicted."""
    import pandas as pd

    rows = []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for _ in range(rounds):
        for workers in (1, 2, 4):
            busiest, wall, groups = on_dask(workers, epochs)
            predicted = simulate(90, workers, costs, started=True)["seconds"] * max(1.0, workers / cores)
            rows.append({"workers": workers, "groups": groups, "predicted": predicted, "busiest core": busiest})
            rows[-1] |= {"clock": wall, "load": os.getloadavg()[0]}
            print(rows[-1], flush=True)
    print(f"\n90 networks on {cores} cores with Dask; predicted, and what the busiest core worked, without the start")
    print(pd.DataFrame(rows).groupby("workers").median().round(1).to_string())


def on_dask(workers: int, epochs: int) -> tuple[float, float, int]:
    """Return the processor seconds of the busiest core, the seconds of the call, and how many groups there were."""
    from distributed import Client, LocalCluster

    import kerasteach as kt

    options = {"n_workers": 0, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        cluster.scale(workers)
        client.wait_for_workers(workers)
        names = sorted(client.scheduler_info(n_workers=-1)["workers"])
        for number, name in enumerate(names):
            client.run(one_core, number, workers=[name])
        client.run(_warm)
        before = client.run(time.process_time)
        start = time.perf_counter()
        result = kt.compare(
            ("sigmoid", "tanh", "relu"), data="digits", hidden=(32,) * 6, seeds=30, epochs=epochs, verbose=0,
            executor=client.get_executor(), parts="workers",
        )  # fmt: skip
        wall = time.perf_counter() - start
        after = client.run(time.process_time)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    busy = [0.0] * cores
    for number, name in enumerate(names):
        busy[number % cores] += after[name] - before[name]
    return max(busy), wall, len(result.facts["groups"])


def _warm() -> None:
    """Start TensorFlow, and train for the first time, which takes longer."""
    import kerasteach as kt

    kt.compare("relu", data="iris", hidden=(2,), seeds=1, epochs=1, verbose=0)


TABLES = {"simulation": simulation_table, "dask": dask_table}


def main() -> None:
    """Print the table that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", choices=list(TABLES))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    costs = in_a_process(measure, arguments.epochs, SIZES, arguments.rounds)
    show(costs, arguments.epochs)
    for table in [TABLES[arguments.table]] if arguments.table else TABLES.values():
        table(costs, arguments.epochs, arguments.rounds)


if __name__ == "__main__":
    main()
