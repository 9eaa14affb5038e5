"""Contact sheets of every figure, with usual and awkward tables, in every style, on a light and on a dark ground.

`make gallery` writes them into `gallery/`: a page, `index.html`, with each figure's description and what the test of
the boxes finds in it, and a picture of all figures of a style. `python tests/plotting/gallery.py gradient_flow` draws
the cases whose name has this word alone.
"""

import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from html import escape
from itertools import product
from pathlib import Path

import matplotlib as mpl
from boxes import problems
from gallery_cases import STYLES, cases
from PIL import Image, ImageDraw

from kerasteach.plotting import describe, save, style

FOLDER = Path("gallery")
SHEETS = list(product(STYLES, (False, True)))
WIDTH, HEIGHT, LINE, COLUMNS = 480, 360, 24, 6  # pixels of a picture on a sheet, and of the name above it
GROUNDS = {False: "white", True: "#14181D"}
HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Figures of kerasteach</title>
<style>
body { font-family: sans-serif; margin: 2em }
section { display: flex; flex-wrap: wrap; gap: 1.5em }
figure { margin: 0; width: 30em }
img { width: 100%; border: 1px solid #888888 }
li { color: #B00020 }
</style>
<h1>Figures of kerasteach</h1>
"""


def draw(sheet, word):
    """Draw and write the figures of one style, and return their part of the page."""
    name, dark = sheet
    title = f"{name}, {'dark' if dark else 'light'}"
    mpl.use("Agg")
    parts, files = [f"<h2>{title}</h2>\n<section>"], {}
    for case, function in cases().items():
        if word not in case:
            continue
        path = FOLDER / title.replace(", ", "-") / f"{re.sub('[^a-z0-9]+', '-', case)}.png"
        with style(name, dark=dark):
            drawn = function()
            found = "".join(f"<li>{escape(problem)}</li>" for problem in problems(drawn))
            files[case] = save(drawn, path, overwrite=True)
        words = escape(describe(drawn), quote=True)
        source = path.relative_to(FOLDER).as_posix()
        parts.append(
            f'<figure><img loading="lazy" src="{source}" alt="{words}"><figcaption>{escape(case)}'
            f"<details><summary>description</summary>{words}</details><ul>{found}</ul></figcaption></figure>"
        )
    _write_sheet(files, FOLDER / f"{title.replace(', ', '-')}.png", dark)
    return "\n".join([*parts, "</section>"])


def _write_sheet(files, path, dark):
    """Write one picture of all these, each with its name."""
    rows = -(-len(files) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * WIDTH, rows * (HEIGHT + LINE)), GROUNDS[dark])
    pen = ImageDraw.Draw(sheet)
    for number, (case, file) in enumerate(files.items()):
        left, top = number % COLUMNS * WIDTH, number // COLUMNS * (HEIGHT + LINE)
        pen.text((left + 6, top + 6), case, fill=GROUNDS[not dark])
        with Image.open(file) as picture:
            picture.thumbnail((WIDTH - 8, HEIGHT - 8))
            sheet.paste(picture, (left + 4, top + LINE))
    sheet.save(path)


def main():
    """Draw all sheets, two at a time, and write the page."""
    word = " ".join(sys.argv[1:])
    FOLDER.mkdir(exist_ok=True)
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as processes:
        parts = processes.map(draw, SHEETS, [word] * len(SHEETS))
        page = FOLDER / "index.html"
        page.write_text(HEAD + "\n".join(parts) + "\n</html>\n", encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
