"""Devices of TensorFlow: those that it sees, and the one to compute on."""

from __future__ import annotations

import os
import platform
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import keras

from kerasteach.extras import how_to_install
from kerasteach.validation import received


@dataclass(frozen=True)
class Device:
    """One device that TensorFlow sees.

    Attributes:
        name: Its name in `device=`, such as `"cpu:0"` or `"gpu:1"`.
        description: Its name by its driver; for a CPU, its architecture and number of cores.
    """

    name: str
    description: str


def available() -> list[Device]:
    """Return the devices that TensorFlow sees, CPUs first."""
    tf = require_tensorflow()
    devices = []
    for kind in ("CPU", "GPU"):
        physical = tf.config.list_physical_devices(kind)
        for index, _ in enumerate(tf.config.list_logical_devices(kind)):
            # Several logical devices may share a physical one.
            details = tf.config.experimental.get_device_details(physical[min(index, len(physical) - 1)])
            description = details.get("device_name", f"{platform.machine()}, {os.cpu_count()} cores")
            devices.append(Device(f"{kind.lower()}:{index}", description))
    return devices


def resolve(device: str = "auto") -> str:
    """Return the name of a device that TensorFlow sees.

    Args:
        device: `"auto"` (the first GPU, or the CPU where there is none), `"cpu"`, `"gpu"`, or one of several as in
            `"gpu:1"`. Defaults to `"auto"`.

    Returns:
        A name such as `"cpu:0"`.

    Raises:
        TypeError: If it is no text.
        ValueError: If it is no such name, or TensorFlow sees no such device; for a GPU, the message names the
            packages to install.
        RuntimeError: If Keras runs on another backend than TensorFlow.

    Example:
        >>> import kerasteach as kt
        >>> kt.devices.resolve("cpu")
        'cpu:0'
    """
    kind, number = _parsed(device)
    names = [seen.name for seen in available()]
    if kind == "auto":
        return "gpu:0" if "gpu:0" in names else "cpu:0"
    if f"{kind}:{number}" in names:
        return f"{kind}:{number}"
    advice = gpu_advice() if kind == "gpu" else ""
    raise ValueError(
        f"`device` must be there, but TensorFlow does not see it; it sees {', '.join(names)}. {advice}"
        f"{received('device', device)}"
    )


def _parsed(device: Any) -> tuple[str, int]:
    """Return the kind of device that a name has, and its number."""
    pattern = r"auto|(cpu|gpu)(?::(\d{1,9}))?"
    match = re.fullmatch(pattern, device.lower(), re.ASCII) if isinstance(device, str) else None
    if match is None:
        error = ValueError if isinstance(device, str) else TypeError
        raise error(f'`device` must be "auto", "cpu", "gpu" or, say, "gpu:1". {received("device", device)}')
    return match[1] or "auto", int(match[2] or 0)


def scope(device: str = "auto") -> AbstractContextManager[None]:
    """Return a context manager under which TensorFlow places its work on a device, named as for `resolve`."""
    return require_tensorflow().device(f"/{resolve(device).upper()}")


def gpu_advice() -> str:
    """Return a sentence on what a GPU needs on this system."""
    install = f"install its driver and the packages of the extra kerasteach[gpu]: {how_to_install('gpu')}. "
    if platform.system() == "Linux":
        return f"For an NVIDIA GPU, {install}"
    return f"TensorFlow uses NVIDIA GPUs on Linux only, on Windows inside WSL2; there, for a GPU, {install}"


def require_tensorflow() -> Any:
    """Return the module tensorflow, or raise RuntimeError where Keras runs on another backend."""
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"This part of kerasteach needs Keras on TensorFlow. Received: the backend {keras.backend.backend()!r}; "
            'set the environment variable KERAS_BACKEND="tensorflow" before Python starts.'
        )
    import tensorflow

    return tensorflow
