import sys

import pytest

from kerasteach.cli import main


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a function that runs `kerasteach` with some words and returns its exit status.

    It runs in this process, where TensorFlow has started, in a folder of its own.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("activations", "compare.command", "descent", "devices", "exercises", "trace"):
        monkeypatch.setattr(sys.modules[f"kerasteach.cli.{name}"], "start_tensorflow", lambda: None)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["kerasteach", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    return run


@pytest.fixture
def called(here, capsys):
    """Return a function that runs `kerasteach` as `here` does, and returns its status, output and error."""

    def run(*words):
        status = here(*words)
        written = capsys.readouterr()
        return status, written.out, written.err

    return run
