"""How long the command takes from its start to its end: `--help`, reading a run, drawing one figure of it.

Each is a process of its own. Runs are interleaved, and the median counts; processor seconds (user and system) depend
less than the wall's on what else the machine does.

    python benchmarks/start.py [--repeat 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import kerasteach as kt

COMMAND = (sys.executable, "-m", "kerasteach.cli")
LECTURE = """
from kerasteach import Comparison, plotting
run = Comparison.load({run!r})
with plotting.style("lecture"):
    plotting.save(plotting.lecture_figure(run), {file!r}, overwrite=True)
"""


def saved_run(folder: Path, networks: int = 30, epochs: int = 100, layers: int = 7) -> Path:
    """Write a comparison with made-up numbers, as large as one of a lecture, and return its folder."""
    names = [f"network {number}" for number in range(networks)]
    keys = pd.MultiIndex.from_product([names, [0], range(epochs)], names=["model", "seed", "epoch"]).to_frame(False)
    history = pd.concat([keys.assign(metric=name, value=np.exp(-keys["epoch"] / 9)) for name in ("loss", "val_loss")])
    rows = keys.assign(step=keys["epoch"]).merge(pd.DataFrame({"depth": range(1, layers + 1)}), how="cross")
    rows.insert(4, "layer", [f"hidden_{depth}" for depth in rows["depth"]])
    rows = rows.merge(pd.DataFrame({"parameter": ["kernel", "bias"]}), how="cross")
    gradients = rows.assign(path="", size=1, norm=10.0 ** (rows["depth"] - layers), finite=True)
    arguments = {"error_below": None, "hidden": [32] * (layers - 1), "vary": [], "seeds": [0], "epochs": epochs}
    facts = {
        "arguments": {**arguments, "data": "yours", "split_seed": 0},
        "variants": [{"model": name} for name in names],
        "data": {"name": "yours", "task": "regression", "feature_names": []},
        "groups": [],
    }
    kt.Comparison(history.reset_index(drop=True), gradients, facts).save(folder)
    return folder


def seconds(command: Sequence[str]) -> tuple[float, float]:
    """Run a command, and return its processor seconds and those on the wall."""
    start, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after, wall = os.times(), time.perf_counter() - start
    return after.children_user + after.children_system - before.children_user - before.children_system, wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory() as temporary:
        run = str(saved_run(Path(temporary) / "run"))
        commands = {
            "python alone": (sys.executable, "-c", "pass"),
            "kerasteach --help": (*COMMAND, "--help"),
            "kerasteach diagnose RUN": (*COMMAND, "diagnose", run),
            "kerasteach plot RUN gradient_flow": (*COMMAND, "plot", run, "gradient_flow", "--force"),
            "lecture_figure of 30 networks": (
                *(sys.executable, "-c"),
                LECTURE.format(run=run, file=f"{temporary}/lecture.png"),
            ),
        }
        taken = [{name: seconds(command) for name, command in commands.items()} for _ in range(repeat)]
    print("| process | processor seconds | seconds |")
    print("|---|---|---|")
    for name in commands:
        processor, wall = (statistics.median(one[name][place] for one in taken) for place in (0, 1))
        print(f"| {name} | {processor:.2f} | {wall:.2f} |")


if __name__ == "__main__":
    main()
