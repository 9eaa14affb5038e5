"""Filter of TensorFlow's log: messages about the internals of this package, which are not for its users."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import tensorflow as tf


@contextmanager
def without_messages(unwanted: Callable[[logging.LogRecord], bool]) -> Iterator[None]:
    """Drop unwanted messages of TensorFlow's log inside this block.

    Args:
        unwanted: Says whether to drop a message.
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
    """Say whether a message warns of a training step that is compiled again, here for another network."""
    return "tf.function retracing" in record.getMessage()


def of_vectorizing(record: logging.LogRecord) -> bool:
    """Say whether a message is about an operation without a vectorized form: two come before the ValueError."""
    return "parallel_for" in record.pathname
