"""Standard output and error: any encoding, a closed pipe, and a quiet start of TensorFlow."""

from __future__ import annotations

import codecs
import os
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from kerasteach.extras import check_tensorflow

_ASCII = {"²": "^2", "³": "^3", "⁴": "^4", "–": "-", "—": "-", "−": "-", "×": "x", "→": "->", "←": "<-"}  # noqa: RUF001


def accept_any_encoding() -> None:
    """Print the nearest ASCII form of a character that the terminal's encoding lacks, instead of an error."""
    codecs.register_error("kerasteach", _nearest)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="kerasteach")


def _nearest(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_ascii, error.object[error.start : error.end])), error.end


def _ascii(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return _ASCII.get(character) or decomposed or "?"


def discard_output() -> None:
    """Discard the rest of standard output, whose reader has closed it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def draw_without_screen() -> None:
    """Have matplotlib draw into files, also where there is a screen."""
    import matplotlib

    matplotlib.use("Agg")


def import_figures() -> None:
    """Import the figures in half the time: seaborn without SciPy, which only its densities and clusters need."""
    draw_without_screen()
    modules: dict[str, Any] = sys.modules
    heavy = {"scipy.stats", "scipy.cluster"} - modules.keys()
    modules.update(dict.fromkeys(heavy))  # an import of None fails, and seaborn goes on without
    try:
        import kerasteach.plotting  # noqa: F401
    finally:
        for name in heavy:
            del modules[name]


def start_tensorflow() -> None:
    """Start TensorFlow quietly, draw without a screen, and have the same options give the same numbers each time.

    With `TF_CPP_MIN_LOG_LEVEL=0` TensorFlow logs everything.
    """
    draw_without_screen()
    check_tensorflow("This command")
    with nullcontext() if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2") == "0" else _quiet():
        import tensorflow as tf

        tf.config.list_logical_devices()
    tf.config.experimental.enable_op_determinism()


@contextmanager
def _quiet() -> Iterator[None]:
    """Discard what C++ code writes to standard error in this block, unless the block fails."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(terminal, log.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
