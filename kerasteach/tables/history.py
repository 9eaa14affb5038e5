"""Table of a training's history: a row an epoch and metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.tables.fit_setting import setting_of_history
from kerasteach.validation import array, received, whole

_NO_HISTORY = pd.DataFrame({"epoch": [], "metric": [], "value": []}).astype(
    {"epoch": "int64", "metric": "str", "value": "float64"}
)


def history_table(history: Any, validation_freq: int = 1) -> pd.DataFrame:
    """Lay a Keras training history out as a tidy table, a row an epoch and metric.

    Args:
        history: The result of `model.fit`, or its `history` dictionary.
        validation_freq: As in `fit`: validation metrics belong to every n-th epoch. Defaults to `1`.

    Returns:
        A frame with the columns `epoch, metric, value`; `epoch` is Keras's number. Of what `fit` returned,
        `attrs["setting"]` has the network and the optimizer's name, for the titles of figures; a history does not say
        whether the learning rate stayed the same.

    Raises:
        TypeError: If `history` is no history, or holds anything but numbers.
        ValueError: If a metric's length does not fit the number of epochs.

    Example:
        >>> from kerasteach.measure import history_table
        >>> history_table({"loss": [0.9, 0.5]})["value"].tolist()
        [0.9, 0.5]
    """
    series = getattr(history, "history", history)
    if not isinstance(series, Mapping):
        raise TypeError(
            "`history` must be what `model.fit` returned, or a dictionary of lists of numbers. "
            f"{received('history', history)}"
        )
    numbers = {metric: array(f"history[{metric!r}]", values, ndim=1) for metric, values in series.items()}
    longest = range(max(map(len, numbers.values()), default=0))
    trained = np.asarray(getattr(history, "epoch", longest), dtype="int64")
    validated = trained[(trained + 1) % whole("validation_freq", validation_freq) == 0]
    parts = [_NO_HISTORY]
    for metric, values in numbers.items():
        epochs = validated if str(metric).startswith("val_") else trained
        if len(values) != len(epochs):
            raise ValueError(
                f"`validation_freq` must be what `fit` was given. Received: validation_freq={validation_freq}, "
                f"{len(values)} values of {metric}, {len(trained)} epochs."
            )
        parts.append(pd.DataFrame({"epoch": epochs, "metric": str(metric), "value": values}))
    table = pd.concat(parts[1:] or parts, ignore_index=True)
    if getattr(history, "model", None) is not None:
        table.attrs["setting"] = setting_of_history(history)
    return table
