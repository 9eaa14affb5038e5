"""TensorBoard output of a recording: a scalar for each statistic, and histograms of the magnitudes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from kerasteach.extras import how_to_install
from kerasteach.storage.stream import numbered
from kerasteach.tables.captures import Measured, is_recorded
from kerasteach.validation import received


def check_installed(log_dir: str | Path) -> None:
    """Raise ImportError, saying what to install, where TensorBoard is not there."""
    if find_spec("tensorboard") is None:
        raise ImportError(
            f"`tensorboard` needs the package tensorboard: {how_to_install('tensorboard')}. "
            f"{received('tensorboard', str(log_dir))}"
        )


class Board:
    """Writes one training's numbers where TensorBoard finds them.

    Args:
        log_dir: TensorBoard's `--logdir`; this training becomes a run of its own in it.
        name: The first part of every tag, such as `"gradients"`.

    Attributes:
        path: The folder of this training's run.

    Raises:
        OSError: Here, in `write` and in `close`, if it cannot be written, as on a full disk.
    """

    def __init__(self, log_dir: Path, name: str) -> None:
        import tensorflow as tf

        check_installed(log_dir)
        self._name = name
        self.path = numbered(log_dir, name)
        with _operating_system_errors():
            self._writer = tf.summary.create_file_writer(str(self.path))

    def write(
        self,
        entries: Sequence[Any],
        names: Sequence[str],
        steps: Sequence[int],
        measured: Measured,
        edges: np.ndarray | None,
    ) -> None:
        """Write several steps.

        Args:
            entries: What the numbers are of.
            names: Of the statistics.
            steps: The numbers of the steps.
            measured: `(steps, entries, ...)`.
            edges: The edges of the histograms' bins, if there are histograms.
        """
        import tensorflow as tf

        recorded = is_recorded(names, measured.statistics)
        with _operating_system_errors(), self._writer.as_default():
            for row, step in enumerate(steps):
                for column, entry in enumerate(entries):
                    part = getattr(entry, "parameter", None) or f"call {entry.call}"
                    tag = f"{self._name}/{entry.layer}/{part}"
                    for name, value in zip(names, measured.statistics[row, column], strict=True):
                        if not np.isnan(value):
                            tf.summary.scalar(f"{tag}/{name}", value, step)
                    if edges is not None and recorded[row, column]:
                        self._write_histogram(f"{tag}/log10_magnitude", edges, measured.counts[row, column], step)
            self._writer.flush()

    def _write_histogram(self, tag: str, edges: np.ndarray, counts: np.ndarray, step: int) -> None:
        """Write the counts as TensorBoard's own histogram, over the magnitudes' decimal logarithms.

        What lies below the first edge, but is not 0, counts as a decade of its own, and so does what lies above.
        """
        import tensorflow as tf
        from tensorboard.plugins.histogram.metadata import create_summary_metadata

        logs = np.log10(edges.astype("float64"))
        logs = np.concatenate([[logs[0] - 1], logs, [logs[-1] + 1]])
        buckets = np.stack([logs[:-1], logs[1:], counts[1:-1]], axis=1)  # without zeros and what is not finite
        tf.summary.write(tag, tf.constant(buckets), step, create_summary_metadata(None, None))

    def close(self) -> None:
        """Write the rest."""
        with _operating_system_errors():
            self._writer.close()


@contextmanager
def _operating_system_errors() -> Iterator[None]:
    """Raise OSError where TensorFlow cannot write a file, as Python's own files do."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        reason = error.message.rpartition("}} ")[2].partition("\n")[0]  # without the operation's own name
        raise OSError(reason) from error
