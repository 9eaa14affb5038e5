"""Kill comparisons at random moments, go on with them, and check that nothing that had finished is lost.

Arguments: how many kills, and the seed of the moments. Each comparison runs in a process of its own, forked before
TensorFlow starts anything. A moment is a count of what the interpreter audits: files that are opened, folders made and
moved, code compiled; for every other kill, of what it does to the run's directory alone.
"""

import os
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import kerasteach as kt

ACTIVATIONS = ("sigmoid", "tanh", "relu", "linear")  # a group each, because Adafactor mixes the entries of a variable
SMALL = {
    "data": "iris",
    "hidden": (3,),
    "seeds": 1,
    "epochs": 1,
    "optimizer": "adafactor",
    "keep_weights": True,
    "verbose": 0,
}


def compared(directory, moment=None, inside=False):
    """Run a comparison in a child, kill it at its moment, and say whether it came to its end."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    counted = [0]

    def audit(event, arguments):
        if not inside or any(str(directory) in str(one) for one in arguments if isinstance(one, str | Path)):
            counted[0] += 1
            if counted[0] == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(audit)
    kt.compare(ACTIVATIONS, **SMALL, directory=directory)
    directory.with_name(f"{directory.name}-{inside}").write_text(str(counted[0]))
    os._exit(0)


def groups(directory):
    """Return what identifies each group that is there: its number and the file system's."""
    return {path.name: path.stat().st_ino for path in (directory / ".kerasteach-groups").glob("[0-9]*")}


def check_part(directory, whole):
    """What is there of an unfinished comparison is part of the whole one."""
    part = kt.Comparison.load(directory)
    keys = ["activation", "seed", "epoch", "metric"]
    both = part.history.merge(whole.history, on=keys)
    assert len(both) == len(part.history)
    assert (both["value_x"] == both["value_y"]).all()


def check_whole(directory, whole):
    """A comparison that was killed, perhaps often, is the one that never was."""
    found = kt.Comparison.load(directory)
    assert found.facts["finished"]
    pd.testing.assert_frame_equal(found.history, whole.history, check_exact=True)
    pd.testing.assert_frame_equal(found.gradients, whole.gradients, check_exact=True)
    assert list(found.weights) == list(whole.weights)
    for name, weights in whole.weights.items():
        for path, array in weights.items():
            np.testing.assert_array_equal(found.weights[name][path], array)
    names = sorted(path.name for path in directory.iterdir())
    assert names == ["confusion.parquet", "gradients.parquet", "history.parquet", "run.json", "weights.npz"], names


def main(kills, seed):
    """Kill so often, and print how often a comparison came to its end in between."""
    random = np.random.default_rng(seed)
    folder = Path(tempfile.mkdtemp(dir="."))
    for inside in (False, True):
        assert compared(folder / "whole", 10**9, inside)
        if not inside:
            (folder / "whole").rename(folder / "first")
    whole = kt.Comparison.load(folder / "first")
    totals = {inside: int((folder / f"whole-{inside}").read_text()) for inside in (False, True)}
    done, ends = 0, 0
    while done < kills:
        directory = folder / f"run-{ends}"
        finished = False
        while not finished:
            before = groups(directory)
            inside = bool(done % 2)
            left = totals[inside] * (1 - len(before) / len(ACTIVATIONS))
            moment = int(random.integers(1, max(2, left))) if done < kills else None
            finished = compared(directory, moment, inside)
            done += not finished
            if not finished:
                after = groups(directory)
                wrong = not (directory / "history.parquet").exists() and before.items() - after.items()
                assert not wrong, wrong
                if after and (directory / "run.json").exists():
                    check_part(directory, whole)
        check_whole(directory, whole)
        ends += 1
    sys.stdout.write(f"{done} kills, {ends} comparisons\n")


main(int(sys.argv[1]), int(sys.argv[2]))
