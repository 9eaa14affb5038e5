"""Means of groups of rows that a missing number spoils."""

from __future__ import annotations

from typing import Any


def group_means(groups: Any) -> Any:
    """Return the mean of each group: NaN where one of its numbers is NaN, which pandas would leave out.

    From version 3 on pandas has `mean(skipna=False)` for it.

    Args:
        groups: What `frame.groupby(keys)["column"]` returns, or of several columns.

    Example:
        >>> import pandas as pd
        >>> from kerasteach.tables.group_means import group_means
        >>> frame = pd.DataFrame({"seed": [0, 0, 1, 1], "norm": [1.0, 3.0, 1.0, float("nan")]})
        >>> group_means(frame.groupby("seed")["norm"]).tolist()
        [2.0, nan]
    """
    return groups.mean().where(groups.count().eq(groups.size(), axis=0))
