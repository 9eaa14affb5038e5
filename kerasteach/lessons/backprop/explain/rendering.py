"""An explanation as text, as Markdown, or as LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from kerasteach.lessons.backprop.explain.formulas import Style, number
from kerasteach.lessons.backprop.explain.sections import Equation, Section
from kerasteach.validation import choice

FORMATS = ("text", "markdown", "latex")


def render(sections: Sequence[Section], format: str) -> str:  # noqa: A002  as the caller's argument is called
    """Write an explanation.

    Raises:
        TypeError: If the format is no text.
        ValueError: If it is none of `FORMATS`.
    """
    write = {"text": _text, "markdown": _markdown, "latex": _latex}[choice("format", format, FORMATS)]
    return "\n\n".join(write(section) for section in sections) + "\n"


def written(equation: Equation, latex: bool = False) -> str:
    """Write one line: what is found, its formulas, the numbers put in, and the result; each only if it says more."""
    symbols, numbers = Style(latex=latex), Style(numbers=True, latex=latex)
    result = number(equation.left.value, latex)
    parts = [equation.left.write(symbols), *(form.write(symbols) for form in equation.forms)]
    if equation.forms:
        parts.append(equation.forms[-1].write(numbers))
    parts.append(result)
    return " = ".join(dict.fromkeys(parts))


def _text(section: Section) -> str:
    lines = [section.title]
    for line in section.lines:
        if isinstance(line, str):
            lines.append(f"   {line}")
        else:
            lines.append(f"      {written(line)}{f' ({line.note})' if line.note else ''}")
    return "\n".join(lines)


def _markdown(section: Section) -> str:
    blocks = [f"### {section.title}"]
    for line in section.lines:
        if isinstance(line, str):
            blocks.append(line)
        else:
            blocks.append(f"$$ {written(line, latex=True)} $${f' ({line.note})' if line.note else ''}")
    return "\n\n".join(blocks)


def _latex(section: Section) -> str:
    title = section.title.replace(" ", "~")
    lines = [rf"& \mathbf{{{title}}} \\"]
    for line in section.lines:
        if isinstance(line, str):
            lines.append(rf"& \text{{{_plain(line)}}} \\")
        else:
            note = rf" \quad \text{{({_plain(line.note)})}}" if line.note else ""
            lines.append(rf"& {written(line, latex=True)}{note} \\")
    return "\n".join([r"\[", r"\begin{aligned}", *lines, r"\end{aligned}", r"\]"])


def _plain(sentence: str) -> str:
    """Return a sentence with the characters escaped that mean something to LaTeX: names of layers have underscores."""
    for character in "_#%&$":
        sentence = sentence.replace(character, rf"\{character}")
    return sentence
