"""Writer of GIF files: one palette for all frames, so that no color flickers, and no frame takes long."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.animation import AbstractMovieWriter
from PIL import Image

_LOOKED_AT = 12  # frames, for the colors of all
_EXACT = 64  # colors: grounds, lines, words
_NEAR = 8  # levels
_SHARE = 3  # of which every third pixel in both directions


class GifWriter(AbstractMovieWriter):
    """Writes the frames of an animation into a GIF, as matplotlib's own writers are used.

    Args:
        fps: Frames a second.
    """

    def setup(self, fig: Any, outfile: Any, dpi: float | None = None) -> None:
        """Begin a file."""
        super().setup(fig, outfile, dpi=dpi)
        self._frames: list[Image.Image] = []

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        """Take the figure as it is now."""
        assert self.fig is not None
        self.fig.set_dpi(self.dpi)
        canvas: Any = self.fig.canvas
        canvas.draw()
        self._frames.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]))

    def finish(self) -> None:
        """Write the file."""
        palette = _palette(self._frames)
        frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self._frames]
        duration = round(1000 / self.fps)
        frames[0].save(Path(self.outfile), save_all=True, append_images=frames[1:], duration=duration, loop=0)


def _palette(frames: list[Image.Image]) -> Image.Image:
    """Return an image of 256 colors that suit all frames, with the most frequent ones exactly as they are."""
    chosen = frames[:: -(-len(frames) // _LOOKED_AT)]
    pixels = np.concatenate([np.asarray(frame)[::_SHARE, ::_SHARE].reshape(-1, 3) for frame in [*chosen, frames[-1]]])
    exact = _most_frequent(pixels)
    others = np.array(Image.fromarray(pixels[None]).quantize(256 - len(exact)).getpalette()).reshape(-1, 3)
    near = np.abs(others[:, None] - exact).max(axis=2).min(axis=1) < _NEAR  # Pillow takes colors so near for the same
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.concatenate([exact, others[~near]]).astype("uint8").tobytes())
    return palette


def _most_frequent(pixels: np.ndarray) -> np.ndarray:
    """Return the most frequent colors, none too near to one that is more frequent."""
    numbers, counts = np.unique(pixels.astype("int64") @ (1 << 16, 1 << 8, 1), return_counts=True)
    found: list[np.ndarray] = []
    for number in numbers[np.argsort(-counts, kind="stable")[: 2 * _EXACT]]:
        color = np.array([number >> 16, number >> 8 & 255, number & 255])
        if len(found) < _EXACT and all(np.abs(color - other).max() >= _NEAR for other in found):
            found.append(color)
    return np.array(found)
