"""Rules for gradients that are not there: not finite, or exactly 0."""

from __future__ import annotations

import numpy as np

from kerasteach.diagnosis.network import Evidence, Network


def not_finite(network: Network) -> Evidence | None:
    """Find the first step whose gradient is not finite, and the layer in which it began."""
    frame = network.gradients
    assert frame is not None
    bad = frame[~frame["finite"].astype(bool)]
    if bad.empty:
        return None
    step = int(bad["step"].min())
    first = bad[bad["step"] == step]
    epoch = int(first["epoch"].iloc[0])
    forward, known = _forward(network, step)
    # A gradient that is not finite stays so on its way back: it began in the last layer that has it.
    layer = forward or str(first.sort_values("depth")["layer"].iloc[-1])
    began = f", where it began in the {'forward' if forward else 'backward'} pass" if known else ""
    steps = frame["step"].nunique()
    text = (
        f"the {'output' if forward else 'gradient'} of {layer} is not finite from step {step:,} on "
        f"(epoch {epoch + 1}){began}; {bad['step'].nunique():,} of {steps:,} captured steps have such a gradient"
    )
    return Evidence((layer,), (epoch, int(bad["epoch"].max())), text, bad["step"].nunique() / steps, 0.0)


def _forward(network: Network, step: int) -> tuple[str | None, bool]:
    """Return the first layer whose output is not finite until a step, and whether the outputs of that step are known.

    Those of a whole epoch, `every="epoch"`, may have been lost later in it.
    """
    outputs = network.activations
    if outputs is None:
        return None, False
    bad = outputs[(outputs["step"] <= step) & ~outputs["finite"].astype(bool)]
    if len(bad):
        return str(bad.sort_values(["step", "depth"])["layer"].iloc[0]), True
    return None, bool((outputs["step"] == step).any())


def no_gradient(network: Network) -> Evidence | None:
    """Find layers whose error signal is exactly 0 in every captured step of the last epoch."""
    rows = network.signal[network.signal["epoch"] == network.epochs[-1]] if network.epochs else network.signal
    if rows.empty or _is_solved(network):
        return None
    largest = rows.groupby("depth")["norm"].max()
    silent = [int(depth) for depth in largest.index[largest == 0]]
    if not silent or rows["norm"].isna().any():
        return None
    layers = tuple(network.layer(depth) for depth in silent)
    who = "every layer" if len(silent) == len(largest) else ", ".join(layers[:3]) + (", ..." if layers[3:] else "")
    epoch, steps = network.epochs[-1], rows["step"].nunique()
    text = f"the gradient of {who} is exactly 0 in all {steps:,} captured steps of epoch {epoch + 1}"
    return Evidence(layers, (epoch, epoch), text, len(silent) / len(largest), 0.0)


def _is_solved(network: Network) -> bool:
    loss = network.metric("loss")
    return loss is not None and bool(np.isclose(loss.iloc[-1], 0, atol=1e-7))
