import numpy as np
import pandas as pd

from kerasteach.tables.group_means import group_means


def test_a_missing_number_spoils_its_group_and_no_other():
    """As NumPy's mean of each group in float64, of one column and of two; infinity stays infinite."""
    frame = pd.DataFrame(
        {"seed": [1, 0, 1, 0, 2, 2], "norm": [1.0, 2.0, np.nan, 5.0, np.inf, 1.0], "size": [1, 2, 3, 4, 5, 6]}
    )
    groups = frame.groupby("seed", sort=False)
    expected = [np.mean(frame.loc[frame["seed"] == seed, "norm"].to_numpy()) for seed in (1, 0, 2)]
    np.testing.assert_array_equal(group_means(groups["norm"]), expected)
    both = group_means(groups[["norm", "size"]])
    np.testing.assert_array_equal(both["norm"], expected)
    assert both["size"].tolist() == [2.0, 3.0, 5.5]
    assert both.index.tolist() == [1, 0, 2]
