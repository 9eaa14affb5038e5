"""Writing of figures and animations into files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib.pyplot as plt
from matplotlib.animation import Animation, writers
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from kerasteach import validation
from kerasteach.plotting.captions import describe, heading
from kerasteach.plotting.extent import drawn_extent
from kerasteach.plotting.frames import on_a_terminal
from kerasteach.plotting.gif_writer import GifWriter
from kerasteach.plotting.style import settings
from kerasteach.progress import progress_bar
from kerasteach.storage.files import check_free, write_atomically

FORMATS = (".png", ".svg", ".pdf")
ANIMATIONS = (".gif", ".mp4")
# A file's content depends on the figure alone: no random number in it, and (see `_metadata`) no date. Text stays text,
# which a drawing program can edit, instead of outlines.
_FILES: dict[str, Any] = {"svg.hashsalt": "kerasteach", "svg.fonttype": "none", "pdf.fonttype": 42}
_WITHOUT_WINDOWS = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")  # matplotlib's backends that only write
_NO_LAYOUT = {"figure.autolayout": False, "figure.constrained_layout.use": False}
_DPI = 150
_MARGIN = 0.15  # inches around what reaches beyond the figure


def check_writable(path: Path) -> None:
    """Raise RuntimeError if it is to be an `.mp4`, and there is no ffmpeg to write it."""
    if path.suffix.lower() == ".mp4" and not writers.is_available("ffmpeg"):
        raise RuntimeError(
            "An .mp4 needs the program ffmpeg on the path (https://ffmpeg.org); a .gif needs nothing. "
            f"Received: path={str(path)!r}."
        )


def save(figure: Figure | Axes | Animation, path: str | Path, *, overwrite: bool = False, verbose: int = 1) -> Path:
    """Write a figure or an animation; the file is complete or not there at all.

    The page is as large as the figure, or larger by what the caller has put beyond its edge. In an SVG or PDF file
    text can be edited. The file has a title, and the words of `kerasteach.plotting.describe` as its description.

    In a script whose backend opens no window, a figure that is written is closed: `matplotlib.pyplot` does not keep it,
    so that a script may draw any number of figures. It can still be changed and written again.

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
    check_free(path, overwrite)
    check_writable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(figure, Animation):
        write_atomically(path, lambda temporary: _film(figure, temporary, bool(verbose)))
        _close(figure._fig)  # type: ignore[attr-defined]
        return path
    whole = figure if isinstance(figure, Figure) else figure.get_figure(root=True)
    assert isinstance(whole, Figure)
    write_atomically(path, lambda temporary: temporary.write_bytes(content(whole, ending[1:])))
    _close(whole)
    return path


def _close(figure: Figure) -> None:
    """Let go of a figure that no window and no notebook can show."""
    if plt.get_backend().lower() in _WITHOUT_WINDOWS:
        plt.close(figure)


def content(figure: Figure, kind: str) -> bytes:
    """Return what the file of a figure holds.

    Args:
        figure: The figure.
        kind: `"png"`, `"svg"` or `"pdf"`.
    """
    title, description = heading(figure), describe(figure)
    written = BytesIO()
    with settings(_FILES), _laid_out(figure):
        figure.savefig(
            written, format=kind, dpi=_DPI, bbox_inches=_page(figure), metadata=_metadata(kind, title, description)
        )
    data = written.getvalue()
    return data if kind != "svg" else _described(data.decode(), title, description).encode()


@contextmanager
def _laid_out(figure: Figure) -> Iterator[None]:
    """Lay a figure out once, in the resolution of the file, and keep the places inside this block."""
    engine, dpi = figure.get_layout_engine(), figure.get_dpi()
    figure.set_dpi(_DPI)
    if engine is not None:
        engine.execute(figure)
        with settings(_NO_LAYOUT):  # not "none": with any engine, matplotlib draws once more before it writes
            figure.set_layout_engine(None)
    try:
        yield
    finally:
        figure.set_dpi(dpi)
        if engine is not None:
            figure.set_layout_engine(engine)


def _page(figure: Figure) -> Bbox | None:
    """Return what a page shows, in inches, or `None` where nothing reaches beyond the figure."""
    drawn, size = drawn_extent(figure), figure.get_size_inches()
    whole = Bbox.from_bounds(0, 0, *size)
    beyond = [drawn.x0 < 0, drawn.y0 < 0, drawn.x1 > size[0], drawn.y1 > size[1]]
    if not any(beyond):
        return None
    padded = Bbox.union([whole, drawn]).padded(_MARGIN).extents
    return Bbox.from_extents(*(padded[i] if beyond[i] else whole.extents[i] for i in range(4)))


def _metadata(kind: str, title: str, description: str) -> dict[str, str | None]:
    if kind == "svg":
        return {"Date": None}
    if kind == "pdf":
        return {"CreationDate": None, "Title": title, "Subject": description}
    return {"Title": title, "Description": description}


def _described(svg: str, title: str, description: str) -> str:
    """Return the text of an SVG file with its title and description, which screen readers look for at its start."""
    start = svg.index(">", svg.index("<svg")) + 1
    words = "".join(f"\n <{tag}>{escape(text)}</{tag}>" for tag, text in (("title", title), ("desc", description)))
    return f'{svg[: start - 1]} role="img">{words}{svg[start:]}'


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
