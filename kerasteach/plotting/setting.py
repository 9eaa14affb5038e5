"""What was trained on what: the line below a figure's title, made of the values that a table has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerasteach.plotting.wording import gettext, ngettext


def setting_in_words(setting: Mapping[str, Any] | str) -> str:
    """Return what was trained on what, in the language of the figures that are drawn now.

    Args:
        setting: Its values, as `attrs["setting"]` of a comparison's tables has them: `data`, the name of the data; and
            where they are the same for all networks `hidden`, the units of each hidden layer; `learning_rates`, by the
            name of the optimizer, which is empty where there is one rate for all, and `None` for a rate that is not
            constant or not known; `error_below`, the loss at which training was to stop; and `classes`, how many there
            are, which is not put into words. Or words of the caller's own, which stay as they are.

    Example:
        >>> from kerasteach.plotting.setting import setting_in_words
        >>> from kerasteach.plotting.wording import in_language
        >>> values = {"data": "digits", "hidden": [32, 32], "learning_rates": {"": 0.1}}
        >>> setting_in_words(values)
        'digits: 2 hidden layers of 32, learning rate 0.1'
        >>> with in_language("de"):
        ...     setting_in_words(values)
        'digits: 2 verdeckte Schichten mit je 32 Einheiten, Lernrate 0.1'
    """
    if isinstance(setting, str):
        return setting
    layers, data = _layers(setting.get("hidden") or []), str(setting.get("data", ""))
    parts = [f"{data}: {layers}" if layers and data else layers or data, _rates(setting.get("learning_rates") or {})]
    if setting.get("error_below") is not None:
        parts.append(gettext("trained to a loss below {loss}").format(loss=f"{setting['error_below']:g}"))
    return ", ".join(part for part in parts if part)


def _layers(hidden: list[int]) -> str:
    if not hidden:
        return ""
    if len(set(hidden)) > 1:
        return gettext("hidden layers {units}").format(units=list(hidden))
    message = ngettext("{count} hidden layer of {units}", "{count} hidden layers of {units}", len(hidden))
    return message.format(count=len(hidden), units=hidden[0])


def _rates(rates: Mapping[str, Any]) -> str:
    known = {name: rate for name, rate in rates.items() if rate is not None}
    shown = [f"{_number(rate)} ({name})" if name else _number(rate) for name, rate in known.items()]
    parts = [gettext("learning rate {rates}").format(rates=", ".join(shown))] if shown else []
    parts += [gettext("optimizer {name}").format(name=name) for name in rates if name and name not in known]
    return ", ".join(parts)


def _number(rate: float | str) -> str:
    return rate if isinstance(rate, str) else f"{rate:g}"
