"""Writing of figures and animations into files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.animation import Animation, writers
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasteach import validation
from kerasteach.plotting.frames import on_a_terminal
from kerasteach.plotting.gif_writer import GifWriter
from kerasteach.plotting.style import settings
from kerasteach.progress import progress_bar
from kerasteach.storage.files import write_atomically

FORMATS = (".png", ".svg", ".pdf")
ANIMATIONS = (".gif", ".mp4")


def check_writable(path: Path) -> None:
    """Raise RuntimeError if it is to be an `.mp4`, and there is no ffmpeg to write it."""
    if path.suffix.lower() == ".mp4" and not writers.is_available("ffmpeg"):
        raise RuntimeError(
            "An .mp4 needs the program ffmpeg on the path (https://ffmpeg.org); a .gif needs nothing. "
            f"Received: path={str(path)!r}."
        )


def save(figure: Figure | Axes | Animation, path: str | Path, *, overwrite: bool = False, verbose: int = 1) -> Path:
    """Write a figure or an animation; the file is complete or not there at all.

    Args:
        figure: A figure, axes of it, or an animation.
        path: The file; its ending says the format: `.png`, `.svg` or `.pdf`, and of an animation `.gif`, or `.mp4`
            where the program ffmpeg is installed. Missing folders are made.
        overwrite: Whether an existing file may be replaced. Defaults to `False`.
        verbose: `1` for a progress bar on a terminal while an animation is written, `0` for none. Defaults to `1`.

    Returns:
        The path.

    Raises:
        TypeError: If it is no figure.
        ValueError: If the ending is another one.
        FileExistsError: If the file exists and `overwrite` is false.
        RuntimeError: If it is to be an `.mp4`, and there is no ffmpeg.
    """
    if not isinstance(figure, (Figure, Axes, Animation)):
        raise TypeError(f"`figure` must be a figure, axes or an animation. {validation.received('figure', figure)}")
    path, overwrite = validation.path("path", path), validation.flag("overwrite", overwrite)
    verbose = validation.flag("verbose", verbose)
    ending, endings = path.suffix.lower(), ANIMATIONS if isinstance(figure, Animation) else FORMATS
    if ending not in endings:
        raise ValueError(f"`path` must end in {', '.join(endings)}. {validation.received('path', str(path))}")
    if path.exists() and not overwrite:
        raise FileExistsError(f"The file exists; `overwrite=True` replaces it. Received: path={str(path)!r}.")
    check_writable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(figure, Animation):
        write_atomically(path, lambda temporary: _film(figure, temporary, bool(verbose)))
        return path
    whole = figure if isinstance(figure, Figure) else figure.get_figure(root=True)
    assert isinstance(whole, Figure)
    # A file's content depends on the figure alone: no date in it, and no random number.
    metadata = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[ending]
    with settings({"svg.hashsalt": "kerasteach", "savefig.bbox": "tight", "savefig.pad_inches": 0.15}):
        write_atomically(path, lambda temporary: whole.savefig(temporary, dpi=150, metadata=metadata))
    return path


def _film(animation: Animation, path: Path, verbose: bool) -> None:
    """Write an animation frame by frame."""
    seconds = getattr(animation, "_interval", 200) / 1000
    writer: Any = GifWriter if path.suffix.lower() == ".gif" else writers["ffmpeg"]
    with progress_bar(verbose and on_a_terminal(), None, "writing") as report:
        animation.save(
            path,
            writer=writer(fps=1 / seconds),
            dpi=100,
            progress_callback=lambda number, count: report(number + 1, done=f"{number + 1} of {count} frames"),
        )
