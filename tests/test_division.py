"""How the tests are divided: among processes, and between `make test` and the longer matrix."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_two_devices_are_as_one():
    """What is not slow in tests/backends/test_mirrored.py passes, in a process that has two devices."""
    options = ["--backend", "mirrored", "-m", "not slow", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.sample(2)
@pytest.mark.parametrize("number", range(5))
def test_a_sample_has_the_first_and_the_last_case(number, request):
    """`sample(2)` leaves the three between them to the slow tests."""
    assert (request.node.get_closest_marker("slow") is None) == (number in (0, 4))


def test_every_slow_test_has_a_day_in_two_weeks():
    """The shares of .ci/share.py have each slice once, and each further backend once a week."""
    share = runpy.run_path(str(ROOT / ".ci" / "share.py"))
    assert len(share["DAYS"]) == 14
    slices = [number for numbers, _ in share["DAYS"] for number in numbers]
    assert slices == list(range(share["SLICES"]))
    for week in (share["DAYS"][:7], share["DAYS"][7:]):
        assert sorted(filter(None, (backend for _, backend in week))) == ["jax", "mirrored", "torch"]
