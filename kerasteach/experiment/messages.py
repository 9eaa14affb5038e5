"""Messages of TensorFlow's logger that are about this package's own workings, and not for its users."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import tensorflow as tf


@contextmanager
def without_messages(unwanted: Callable[[logging.LogRecord], bool]) -> Iterator[None]:
    """Hold back what TensorFlow logs and is unwanted; all other messages pass.

    Args:
        unwanted: Says of a message whether it is held back.
    """

    def wanted(record: logging.LogRecord) -> bool:
        return not unwanted(record)

    logger = tf.get_logger()
    logger.addFilter(wanted)
    try:
        yield
    finally:
        logger.removeFilter(wanted)


def of_retracing(record: logging.LogRecord) -> bool:
    """Say whether a message warns of a training step that is compiled again: it is another network's."""
    return "tf.function retracing" in record.getMessage()


def of_vectorizing(record: logging.LogRecord) -> bool:
    """Say whether a message is of an operation without a vectorized form, as two are before the ValueError."""
    return "parallel_for" in record.pathname
