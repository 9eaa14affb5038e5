"""Names of layers, short enough for an axis."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

import pandas as pd

from kerasteach.plotting.style import plain
from kerasteach.plotting.text_fitting import shortened

_MOST = 12  # more layers than this are numbered, not named, along an axis
_LONGEST = 24  # letters of a name


def layer_names(rows: pd.DataFrame) -> dict[int, str]:
    """Return the layers' names by depth, where all networks agree on them and there are few enough to read.

    Args:
        rows: A table with the columns `network, depth, layer`.
    """
    together: dict[int, str] = {}
    for names in short_names(rows):
        for depth, name in names.items():
            if together.setdefault(depth, name) != name:
                return {}
    texts = {depth: as_text(together[depth]) for depth in sorted(together)}
    return texts if len(set(texts.values())) == len(texts) <= _MOST else {}


def short_names(rows: pd.DataFrame) -> list[dict[int, str]]:
    """Return the names of each network's layers by depth, without what says nothing.

    Args:
        rows: A table with the columns `network, depth, layer`.
    """
    pairs = rows[["network", "depth", "layer"]].drop_duplicates()
    return [short_of(dict(zip(one["depth"], one["layer"], strict=True))) for _, one in pairs.groupby("network")]


def short_of(names: Mapping[int, str]) -> dict[int, str]:
    """Leave out what says nothing: a cell behind its layer's name, and how many layers Keras has counted before.

    Keras counts all layers of a program: in a second model they are called `dense_43` to `dense_47`. They are numbered
    from 1 where the first of them has a number larger than its depth.
    """
    short = dict(zip(names, _distinct(list(names.values())), strict=True))
    alike: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for depth, name in sorted(short.items()):
        counted = re.fullmatch(r"(.*[^_\d])_(\d+)", name)
        if counted:
            alike[counted[1]].append((depth, int(counted[2])))
    for base, found in alike.items():
        depths, numbers = zip(*found, strict=True)
        if numbers == tuple(range(numbers[0], numbers[0] + len(numbers))) and numbers[0] > depths[0]:
            renamed = [f"{base}_{place}" for place in range(1, len(found) + 1)] if len(found) > 1 else [base]
            short.update(zip(depths, renamed, strict=True))
    return short if len(set(short.values())) == len(set(names.values())) else dict(names)


def _distinct(names: list[str]) -> list[str]:
    """Return the first part of each name; where several have it, the second; else as much as tells them apart."""
    parts = [name.split("/") for name in names]
    forms = [*zip(*((own[0], own[min(1, len(own) - 1)], "/".join(own[:2])) for own in parts), strict=True), names]
    chosen = list(names)
    for place in range(len(names)):
        for form in forms:
            others = [name for number, name in enumerate(chosen) if number < place]
            if list(form).count(form[place]) == 1 and form[place] not in others:
                chosen[place] = str(form[place])
                break
    return chosen


def as_text(layer: str) -> str:
    """Return a layer's name as a figure writes it, with its middle left out where it is long."""
    name = layer.replace("_", " ").strip() or layer
    return plain(shortened(name, _LONGEST))
