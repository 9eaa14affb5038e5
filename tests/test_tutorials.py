import os
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIALS = sorted((Path(__file__).parents[1] / "tutorials").glob("[0-9]*.py"))


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs_and_its_claims_hold(path, tmp_path):
    """Each script ends well in a process of its own, and writes the figures that it names."""
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:kerasteach", path],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    named = [line for line in done.stdout.splitlines() if line.startswith("figures/")]
    assert named
    assert all((tmp_path / name).stat().st_size > 5000 for name in named)


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_is_short(path):
    """One idea: at most 150 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 150


def test_tutorials_are_there():
    """The folder is found, wherever the tests run from."""
    assert TUTORIALS
