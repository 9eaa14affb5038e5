"""The networks of a comparison compute in float32, whatever the caller's own networks do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def float32() -> Iterator[None]:
    """Build and train in float32 inside this block; then the caller's dtype policy is what it was."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
