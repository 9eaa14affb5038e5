"""Run today's share of the slow tests: each slow test runs once in two weeks, on a day that its name alone decides.

Of eleven slices a week of TensorFlow's slow tests four days take two, and three days take one, beside the tests of
another backend, which run once a week, so that the days are about equally long. `python .ci/share.py 3` runs the share
of another day, from 0 to 13.
"""

import subprocess
import sys
from datetime import date

WEEK = [
    ((0, 1), None),
    ((2,), "jax"),
    ((3, 4), None),
    ((5,), "torch"),
    ((6, 7), None),
    ((8,), "mirrored"),
    ((9, 10), None),
]
WEEKLY = 11  # slices
DAYS = [(tuple(WEEKLY * week + part for part in slices), backend) for week in range(2) for slices, backend in WEEK]
SLICES = 2 * WEEKLY
PYTHON = [sys.executable, "-m"]


def main(day: int) -> None:
    """Run the share of a day; the first failure of a command ends it."""
    slices, backend = DAYS[day % len(DAYS)]
    share = f"{','.join(map(str, slices))}/{SLICES}"
    commands = [[*PYTHON, "pytest", "-n", "2", "--dist", "worksteal", "-m", "slow", "--share", share]]
    if backend in ("jax", "torch"):
        commands.append([*PYTHON, "pip", "install", "--quiet", "--editable", f".[dev,{backend}]"])
    if backend:
        commands.append([*PYTHON, "pytest", "--backend", backend])
    for command in commands:
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else date.today().timetuple().tm_yday)
