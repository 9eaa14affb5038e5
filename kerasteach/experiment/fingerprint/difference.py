"""Difference between two probes of a network, beyond the rounding of their processors. Needs no Keras."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Probe = Mapping[str, str]
UNKNOWN = "unknown"  # the key of the reason why there is no probe
# How far two processors may be apart, relative to a tensor's norm, and to the largest norm of the probe's part: a
# gradient passes through all layers, and is zero but for rounding in front of a normalization.
_TOLERANCES = {
    "activation": (1e-5, 1e-7),
    "weights": (1e-5, 0.0),
    "outputs": (1e-4, 1e-6),
    "gradients": (1e-2, 1e-5),
    "trained": (1e-3, 1e-5),
    "optimizer": (1e-4, 1e-6),
}
_MEANINGS = {
    "variables": "it has other variables",
    "settings": "its layers have other settings",
    "activation": "its activation computes something else",
    "weights": "it starts from other weights",
    "outputs": "it computes other outputs",
    "gradients": "its gradients are others",
    "trained": "a training step changes it otherwise",
    "optimizer": "its optimizer takes other steps",
}


def difference(first: Probe, second: Probe) -> str | None:
    """Say how two probes differ by more than rounding, or return `None` where they do not.

    Example:
        >>> from kerasteach.experiment.fingerprint.difference import difference
        >>> difference({"outputs": "1.0 0.5"}, {"outputs": "1.0000001 0.5"})
        >>> difference({"outputs": "1.0 0.5"}, {"outputs": "1.0 0.4"})
        'it computes other outputs'
    """
    for part, meaning in _MEANINGS.items():
        if (part in first) != (part in second):
            return "it has other parts of one's own"
        if first.get(part) != second.get(part) and not _close(part, first[part], second[part]):
            return meaning
    return None


def _close(part: str, first: str, second: str) -> bool:
    if part not in _TOLERANCES:
        return False
    one, other = (np.array(text.split(), "float64").reshape(-1, 2) for text in (first, second))
    if one.shape != other.shape:
        return False
    relative, absolute = _TOLERANCES[part]
    norms = np.maximum(one[:, 0], other[:, 0])
    allowed = relative * norms + absolute * np.max(norms, initial=0, where=np.isfinite(norms))
    broken = ~np.isfinite(one), ~np.isfinite(other)
    near = np.abs(one - other) <= np.where(np.isfinite(allowed), allowed, 0)[:, None]
    return bool(np.all(np.where(broken[0] | broken[1], broken[0] & broken[1], near)))
