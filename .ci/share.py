"""Run today's share of the slow tests: each slow test runs once a week, on a day that its name alone decides.

Of eleven slices of TensorFlow's slow tests four days take two, and three days take one, beside the tests of another
backend, so that the days are about equally long. `python .ci/share.py 3` runs the share of another day, from 0 to 6.
"""

import subprocess
import sys
from datetime import date

SLICES = 11
DAYS = [
    ((0, 1), None),
    ((2,), "jax"),
    ((3, 4), None),
    ((5,), "torch"),
    ((6, 7), None),
    ((8,), "mirrored"),
    ((9, 10), None),
]
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
