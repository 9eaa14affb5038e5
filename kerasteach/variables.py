"""Values of Keras variables, put back after a block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import keras
import numpy as np


@contextmanager
def restored(variables: Iterable[keras.Variable]) -> Iterator[None]:
    """Give variables the values that they had before the block, bit for bit, also after an exception or Ctrl-C.

    Args:
        variables: The variables; each is put back once, however often it is listed.

    Example:
        >>> import keras
        >>> from kerasteach.variables import restored
        >>> w = keras.Variable(1.0)
        >>> with restored([w]):
        ...     _ = w.assign(2.0)
        >>> float(w)
        1.0
    """
    before = [(variable, np.array(variable.numpy())) for variable in {id(one): one for one in variables}.values()]
    try:
        yield
    finally:
        for variable, value in before:
            variable.assign(value)
