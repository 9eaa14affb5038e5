import subprocess
import sys
from pathlib import Path


def test_two_devices_are_as_one():
    """What is not slow in tests/backends/test_mirrored.py passes, in a process that has two devices."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--backend",
        "mirrored",
        "-m",
        "not slow",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
