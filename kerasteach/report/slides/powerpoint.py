"""Slides as a PowerPoint file: titles, lines and notes as text that can be edited, and pictures with descriptions."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasteach.extras import how_to_install
from kerasteach.plotting.style import inks, style
from kerasteach.report.slides.deck import Slide

if TYPE_CHECKING:
    from pptx.presentation import Presentation

_WIDTH, _HEIGHT = 13.333, 7.5  # inches, 16:9
_EDGE = 0.4  # inches, left and right
_TITLE = (0.25, 1.1)  # inches: top and height
_BELOW = 1.45  # inches: where the room below the title begins
_LETTER, _LINE = 0.52, 1.2  # width of a letter and height of a line, in the size of the text
_SIZES = (36, 32, 28, 24, 20, 18, 16, 14, 12)  # points
_CODE_LETTER = 0.62
_MOST_CODE = 18  # lines
_OPENING, _TITLE_ONLY = 0, 5  # layouts of python-pptx's own template


def check_installed() -> None:
    """Raise ImportError, with what to install, where python-pptx is missing."""
    try:
        import pptx  # noqa: F401
    except ImportError as error:
        raise ImportError(f"Slides for PowerPoint need python-pptx: {how_to_install('report')}") from error


def write_powerpoint(path: Path, slides: list[Slide], dark: bool = False) -> None:
    """Write slides into a file.

    Args:
        path: The file.
        slides: The slides, the opening one first.
        dark: Whether the slides have the ground of dark figures. Defaults to `False`.

    Raises:
        ImportError: If python-pptx is not installed.
    """
    check_installed()
    presentation = _empty(slides[0].title)
    if dark:
        _darken(presentation.slide_master)
    for number, slide in enumerate(slides):
        _add(presentation, slide, opening=number == 0)
    presentation.save(str(path))


def _empty(title: str) -> Presentation:
    """Return a presentation without slides, as wide as a screen, with its layouts stretched to that width."""
    import pptx
    from pptx.util import Inches

    presentation = pptx.Presentation()
    stretch = Inches(_WIDTH) / presentation.slide_width
    presentation.slide_width, presentation.slide_height = Inches(_WIDTH), Inches(_HEIGHT)
    for sheet in (presentation.slide_master, *presentation.slide_layouts):
        for shape in sheet.shapes:
            if shape.element.xpath(".//a:xfrm"):  # else it is where the master's is
                shape.left, shape.width = int(shape.left * stretch), int(shape.width * stretch)
    properties = presentation.core_properties
    properties.title, properties.author, properties.keywords = title, "", "kerasteach"
    return presentation


def _darken(master: Any) -> None:
    """Give all slides the ground of dark figures, and light text."""
    from pptx.dml import color
    from pptx.oxml.ns import qn

    with style("lecture", dark=True):
        ground = inks().surface
    new_color: Any = color.RGBColor  # which has no types
    master.background.fill.solid()
    master.background.fill.fore_color.rgb = new_color(*bytes.fromhex(ground.removeprefix("#")))
    colors = master.element.find(qn("p:clrMap"))
    for name, other in (("bg1", "dk1"), ("tx1", "lt1"), ("bg2", "dk2"), ("tx2", "lt2")):
        colors.set(name, other)


def _add(presentation: Presentation, slide: Slide, opening: bool) -> None:
    added = presentation.slides.add_slide(presentation.slide_layouts[_OPENING if opening else _TITLE_ONLY])
    if opening:
        _write(added.shapes.title, [slide.title], (2.0, 1.9), sizes=(44, 40, *_SIZES), bold=True)
        below = added.placeholders[1]
        if slide.lines:
            _write(below, slide.lines, (4.1, 2.0), sizes=_SIZES[3:])
        else:
            below.element.getparent().remove(below.element)  # an empty one asks for text
    else:
        _write(added.shapes.title, [slide.title], _TITLE, sizes=_SIZES[2:], bold=True)
        _add_body(added, slide)
    added.notes_slide.notes_text_frame.text = _printable("\n\n".join(slide.notes))


def _add_body(added: Any, slide: Slide) -> None:
    """Add what stands below the title: a picture, or code and lines."""
    if slide.picture is not None:
        _add_picture(added, slide)
        return
    top = _BELOW
    if slide.code:
        height = 3.9
        _write(_box(added), _cut(slide.code.split("\n")), (top, height), sizes=_SIZES[4:], font="Consolas")
        top += height + 0.15
    if slide.lines:
        sizes = _SIZES[5:] if slide.code else _SIZES
        _write(_box(added), slide.lines, (top, _HEIGHT - top - 0.35), sizes=sizes, gap=0 if slide.code else 14)


def _cut(lines: list[str]) -> list[str]:
    """Return the lines of code that a slide has room for; its notes have all."""
    return lines if len(lines) <= _MOST_CODE else [*lines[: _MOST_CODE - 1], "..."]


def _box(added: Any) -> Any:
    return added.shapes.add_textbox(0, 0, 0, 0)


def _add_picture(added: Any, slide: Slide) -> None:
    """Add the picture in the middle of the room below the title, with its description."""
    from pptx.util import Inches

    picture = slide.picture
    assert picture is not None
    width, height = picture.size
    left, top = (_WIDTH - width) / 2, _BELOW + (_HEIGHT - 0.2 - _BELOW - height) / 2
    shape = added.shapes.add_picture(BytesIO(picture.content), Inches(left), Inches(top), Inches(width), Inches(height))
    shape.name = picture.figure.name
    shape._element.nvPicPr.cNvPr.set("descr", _printable(picture.description))


def _write(
    shape: Any,
    lines: Any,
    place: tuple[float, float],
    *,
    sizes: tuple[int, ...] = _SIZES,
    bold: bool = False,
    font: str = "",
    gap: int = 0,
) -> None:
    """Write lines into a shape over the width of the slide, in the largest size that its height has room for."""
    from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
    from pptx.util import Inches, Pt

    top, height = place
    shape.left, shape.top = Inches(_EDGE), Inches(top)
    shape.width, shape.height = Inches(_WIDTH - 2 * _EDGE), Inches(height)
    frame = shape.text_frame
    frame.word_wrap = True
    frame.vertical_anchor = MSO_ANCHOR.MIDDLE if bold else MSO_ANCHOR.TOP
    frame.text = _printable("\n".join(lines))
    size = fitting_size(lines, height - 0.1, sizes, _CODE_LETTER if font else _LETTER, gap)
    for paragraph in frame.paragraphs:
        paragraph.alignment, paragraph.space_after = PP_ALIGN.LEFT, Pt(gap)
        paragraph.font.size, paragraph.font.bold = Pt(size), bold
        if font:
            paragraph.font.name = font


def fitting_size(lines: Any, height: float, sizes: tuple[int, ...], letter: float = _LETTER, gap: int = 0) -> int:
    """Return the largest of these sizes in which lines fit a height over the width of a slide; else the smallest.

    Args:
        lines: The lines, each of which may be broken.
        height: In inches.
        sizes: In points, falling.
        letter: The width of a letter, in the size of the text. Defaults to that of a proportional font.
        gap: Points between the lines. Defaults to `0`.
    """
    width = (_WIDTH - 2 * _EDGE - 0.2) * 72
    for size in sizes:
        in_line = int(width / (letter * size))
        rows = sum(max(1, -(-len(line) // in_line)) for line in lines)
        if rows * _LINE * size + len(lines) * gap <= height * 72:
            return size
    return sizes[-1]


def _printable(text: str) -> str:
    """Return a text without the control characters that no XML file can hold."""
    return "".join(letter for letter in text if letter in "\n\t" or letter.isprintable())
