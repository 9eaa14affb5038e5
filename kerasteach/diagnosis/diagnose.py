"""`diagnose`: apply each rule to each network, and gather what is found by variant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.diagnosis.findings import COLUMNS, Findings
from kerasteach.diagnosis.network import Evidence, Network
from kerasteach.diagnosis.rules import RULES, SETUP_RULES, Rule, identifier
from kerasteach.diagnosis.setup import Setup
from kerasteach.tables.checks import frame_of
from kerasteach.validation import several, table

_NEEDED = {
    "gradients": ("epoch", "step", "layer", "depth", "parameter", "norm", "finite"),
    "activations": ("epoch", "step", "layer", "depth", "size", "finite"),
    "history": ("epoch", "metric", "value"),
}
_MADE_BY = {
    "gradients": "GradientCapture.frame or Comparison.gradients",
    "activations": "ActivationCapture.frame",
    "history": "kerasteach.measure.history_table(model.fit(...)) or Comparison.history",
}


def diagnose(gradients: Any, activations: Any = None, history: Any = None, *, mute: Iterable[str] = ()) -> Findings:
    """Say what is wrong with a training, in words, with the evidence and what to try; nothing where nothing is.

    Vanishing and exploding gradients, dead units and the learning rate are judged only where the loss shows a problem:
    it is not finite, it rose, or it hardly fell. Without `history` they are not looked at, and the result says so.
    Values that are not finite, and layers that get no gradient, are found in any case.

    Of several seeds a finding must hold in more than half.

    Args:
        gradients: A `GradientCapture`, its table, or a comparison, whose `history` is taken too.
        activations: An `ActivationCapture`, or its table, best with `every="epoch"`. Defaults to `None`.
        history: What `model.fit` returned laid out by `kerasteach.measure.history_table`, or a comparison's. Defaults
            to `None`: that of the comparison.
        mute: Rules that are left out: identifiers or names, such as `["KT402", "dead_units"]`. Defaults to none.

    Returns:
        The findings: `print` them, or read their `frame`.

    Raises:
        TypeError: If a table is no data frame.
        ValueError: If a table lacks a column, or a muted rule does not exist.

    Example:
        >>> import kerasteach as kt
        >>> result = kt.compare("tanh", data="iris", hidden=(8,), seeds=2, epochs=5, verbose=0)
        >>> print(kt.diagnose(result))
        No finding. Looked at: not finite, no gradient, vanishing gradient, exploding gradient. ...
    """
    names = [mute] if isinstance(mute, str) else several("mute", mute, "identifiers of rules")
    muted = {identifier("mute", name) for name in names}
    if history is None and isinstance(getattr(gradients, "history", None), pd.DataFrame):
        history = gradients.history
    given = {"gradients": gradients, "activations": activations, "history": history}
    tables = {name: _checked(name, value) for name, value in given.items() if value is not None or name == "gradients"}
    keys = list(dict.fromkeys(key for frame in tables.values() for key in _keys(frame)))
    rules = [rule for rule in RULES.values() if rule.id not in muted]
    there = {name for name, frame in tables.items() if len(frame)} | set(tables["gradients"].columns)
    usable = [rule for rule in rules if there >= set(rule.needs)]
    networks = _networks(tables, keys)
    keys = [key for key in keys if key != "seed"]
    found = [row for rule in usable for row in _of_rule(rule, networks, keys)]
    frame = _errors_first(pd.DataFrame(found, columns=[*keys, *COLUMNS]))
    skipped = {rule.id: next(need for need in rule.needs if need not in there) for rule in rules if rule not in usable}
    aside = (tuple(getattr(gradients, name, ())) for name in ("frozen", "disconnected"))
    return Findings(frame, tuple(rule.id for rule in usable), skipped, *aside)


def of_setup(setup: Setup, in_steps: Findings | None = None) -> Findings:
    """Judge a model before its training, and add what its first steps showed.

    Args:
        setup: The model and a batch.
        in_steps: The diagnosis of steps on this batch. Defaults to `None`: there were none.
    """
    rules = [rule for rule in SETUP_RULES.values() if in_steps is not None or "losses" not in rule.needs]
    found = [(rule, rule.check(setup)) for rule in rules]
    rows = [_row(rule, [evidence], "1 of 1") for rule, evidence in found if evidence is not None]
    rows += [] if in_steps is None else list(in_steps.frame.itertuples(index=False, name=None))
    looked_at = (*(rule.id for rule in rules), *(in_steps.looked_at if in_steps is not None else ()))
    return Findings(_errors_first(pd.DataFrame(rows, columns=list(COLUMNS))), looked_at, {}, setup.frozen)


def _errors_first(frame: pd.DataFrame) -> pd.DataFrame:
    order = {"error": 0, "warning": 1}
    return frame.sort_values("severity", key=lambda column: column.map(order), kind="stable", ignore_index=True)


def _checked(argument: str, value: Any) -> pd.DataFrame:
    return table(argument, frame_of(argument, value), _NEEDED[argument], _MADE_BY[argument])


def _keys(frame: pd.DataFrame) -> list[str]:
    """Return the columns that distinguish networks: those in front of the epoch."""
    names = list(frame.columns)
    return names[: names.index("epoch")]


def _networks(tables: dict[str, pd.DataFrame], keys: list[str]) -> dict[tuple[Any, ...], Network]:
    """Return the tables of each network, by its names."""
    parts: dict[tuple[Any, ...], dict[str, pd.DataFrame]] = {}
    for argument, frame in tables.items():
        own = _keys(frame)
        if frame.empty:
            continue
        if own != keys:
            raise ValueError(
                f"`{argument}` must have the columns that distinguish networks in the other tables. "
                f"Received: {own} instead of {keys}."
            )
        for name, rows in frame.groupby(keys, sort=False, dropna=False) if keys else [((), frame)]:
            parts.setdefault(tuple(name), {})[argument] = rows
    return {
        name: Network(found.get("gradients"), found.get("activations"), found.get("history"))
        for name, found in parts.items()
    }


def _of_rule(rule: Rule, networks: dict[tuple[Any, ...], Network], keys: list[str]) -> list[tuple[Any, ...]]:
    """Return the rule's row for each variant in which it holds for more than half of the seeds."""
    variants: dict[tuple[Any, ...], list[Evidence | None]] = {}
    for name, network in networks.items():
        complete = all(getattr(network, need) is not None for need in rule.needs if need in _NEEDED)
        variants.setdefault(name[: len(keys)], []).append(rule.check(network) if complete else None)
    rows = []
    for name, evidence in variants.items():
        found = [one for one in evidence if one is not None]
        if 2 * len(found) > len(evidence):
            rows.append((*name, *_row(rule, found, f"{len(found)} of {len(evidence)}")))
    return rows


def _row(rule: Rule, found: list[Evidence], seeds: str) -> tuple[Any, ...]:
    """Return the columns of a finding, in the words of the seed whose value is the median."""
    middle = found[int(np.argsort([one.value for one in found], kind="stable")[len(found) // 2])]
    counts = Counter(layer for one in found for layer in one.layers)
    layers = tuple(layer for layer, count in counts.items() if 2 * count >= len(found))
    epochs = (min(one.epochs[0] for one in found), max(one.epochs[1] for one in found))
    span = f"{epochs[0] + 1}" if epochs[0] == epochs[1] else f"{epochs[0] + 1} to {epochs[1] + 1}"
    return (rule.id, rule.severity, ", ".join(layers), span, middle.text, middle.value, middle.threshold, seeds)
