"""Settings that decide the last digits of a result, besides versions: determinism, oneDNN, threads, processor."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.config import is_op_determinism_enabled  # TensorFlow has no public name for it


def settings() -> dict[str, Any]:
    """Return what decides the order in which this process adds floating-point numbers.

    Returns:
        `deterministic`: whether TensorFlow's deterministic operations are switched on; `onednn`: the value of
        `TF_ENABLE_ONEDNN_OPTS`, or `"default"`; `threads`: how many one operation may use, of which 0 is TensorFlow's
        choice for the number of `cores`; `openmp`: the value of `OMP_NUM_THREADS`, or `"default"`; `processor`.

    Example:
        >>> from kerasteach.experiment.settings import settings
        >>> sorted(settings())
        ['cores', 'deterministic', 'onednn', 'openmp', 'processor', 'threads']
    """
    return {
        "deterministic": bool(is_op_determinism_enabled()),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
        "threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "openmp": os.environ.get("OMP_NUM_THREADS", "default"),
        "cores": _cores(),
        "processor": _processor(),
    }


def _cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    """Return the processor's model as the operating system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
