"""Messages of TensorFlow's logger that are about this package's own workings, and not for its users."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf


@contextmanager
def without_messages(*texts: str) -> Iterator[None]:
    """Hold back what TensorFlow logs with one of these texts in it; all other messages pass.

    Args:
        *texts: Parts of messages.
    """

    def wanted(record: logging.LogRecord) -> bool:
        return not any(text in record.getMessage() for text in texts)

    logger = tf.get_logger()
    logger.addFilter(wanted)
    try:
        yield
    finally:
        logger.removeFilter(wanted)
