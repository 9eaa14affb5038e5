"""Error signal by layer: which rows of a table of gradients carry it. Needs no Keras."""

from __future__ import annotations

import pandas as pd

_SCALES = ("gamma", "alpha", "scale")  # their gradient is the signal times an input, summed: no error signal
_NORMALIZES = {"gamma", "beta"}
_ROUNDING = 1e-6  # of the kernel's gradient: below it, a bias's is what float32 leaves of 0


def signal_rows(gradients: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that carry each layer's error signal, at most one parameter a layer.

    Of a layer with a bias it is the bias, whose gradient is the mean error signal (delta) itself. Where a normalization
    layer follows, it is that layer's `beta`: batch normalization subtracts the mean, so that the gradient of a bias in
    front of it is 0 whatever flows back (only rounding is recorded). A layer without either has its `kernel`, the
    signal times the layer's input, and so has a layer whose bias recorded rounding alone, because a normalization
    without `beta` follows: for this the column `norm` is looked at, where there is one.

    Args:
        gradients: The table of one model or of a comparison: the columns in front of `epoch` say whose rows they are.

    Returns:
        Rows of the table, in its order.

    Example:
        >>> import pandas as pd
        >>> from kerasteach.tables.error_signal import signal_rows
        >>> table = pd.DataFrame({"epoch": 0, "depth": [1, 1, 2, 2, 3, 3], "norm": [5, 1e-9, 3, 2, 4, 3],
        ...                       "parameter": ["kernel", "bias", "gamma", "beta", "kernel", "bias"]})
        >>> signal_rows(table)[["depth", "parameter"]].values.tolist()
        [[2, 'beta'], [3, 'bias']]
    """
    networks = list(gradients.columns[: list(gradients.columns).index("epoch")])
    layers = gradients[[*networks, "depth", "parameter"]].drop_duplicates()
    rounded = _rounded(gradients, networks)
    chosen = []
    for key, one in layers.groupby(networks, dropna=False, sort=False) if networks else [((), layers)]:
        parameters = one.groupby("depth", sort=True)["parameter"].agg(list)
        following = [set(names) for names in parameters.iloc[1:]] + [set()]
        for (depth, names), after in zip(parameters.items(), following, strict=True):
            normalized = "beta" in after and after <= _NORMALIZES
            name = _carrier([name for name in names if name != "bias" or (*key, depth) not in rounded], normalized)
            if name is not None:
                chosen.append((*key, depth, name))
    keys = pd.MultiIndex.from_frame(gradients[[*networks, "depth", "parameter"]])
    return gradients[keys.isin(chosen)]


def _rounded(gradients: pd.DataFrame, networks: list[str]) -> set[tuple[object, ...]]:
    """Return the network and depth of each layer whose bias recorded rounding alone, beside its kernel."""
    if "norm" not in gradients:
        return set()
    sums = gradients.groupby([*networks, "depth", "parameter"], dropna=False, sort=False)["norm"].sum()
    wide = sums.unstack("parameter").reindex(columns=["kernel", "bias"])
    found = wide.index[wide["bias"] < _ROUNDING * wide["kernel"]]
    keys = {key if isinstance(key, tuple) else (key,) for key in found}
    return keys & _rounded_in_each_step(gradients, networks) if keys and "step" in gradients else keys


def _rounded_in_each_step(gradients: pd.DataFrame, networks: list[str]) -> set[tuple[object, ...]]:
    """Return those likewise of which no step shows more: inputs that explode make a kernel's sum large as well."""
    wide = gradients.pivot_table(
        "norm", [*networks, "depth", "step"], "parameter", aggfunc="sum", observed=True
    ).reindex(columns=["kernel", "bias"])
    shares = (wide["bias"] / wide["kernel"]).groupby([*networks, "depth"], dropna=False).max()
    return {key if isinstance(key, tuple) else (key,) for key in shares.index[shares < _ROUNDING]}


def _carrier(parameters: list[str], normalized: bool) -> str | None:
    """Return the parameter that carries the signal of a layer, or None where it has none or the next layer has it."""
    if "beta" in parameters:
        return "beta"
    if normalized:
        return None
    if "bias" in parameters:
        return "bias"
    others = [name for name in parameters if name not in _SCALES and name != "signal"]
    return "kernel" if "kernel" in others else next(iter(others), None)
