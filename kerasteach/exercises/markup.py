r"""Texts of exercises, written in HTML and LaTeX.

The texts themselves are Markdown: blocks with blank lines between them, each a `### heading`, a formula between `$$`
with a remark after it, or a paragraph with formulas between `$`.
"""

from __future__ import annotations

import re
from html import escape

_LONG = 50  # letters, digits and signs of a displayed formula that are too many for one line
_LATEX = {
    **{character: rf"\{character}" for character in "#$%&_{}"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|$])")


def html(text: str) -> str:
    r"""Return a text as HTML, with formulas between `\(` and `\)`, as MathJax reads them.

    Example:
        >>> from kerasteach.exercises.markup import html
        >>> html("Where $a < 1$.")
        '<p>Where \\(a &lt; 1\\).</p>'
    """
    return "\n".join(map(_html_block, _blocks(text)))


def _html_block(block: str) -> str:
    if block.startswith("### "):
        return f"<h4>{escape(block[4:])}</h4>"
    formula, note = _displayed(block)
    if formula:
        return rf"<p>\[{escape(formula, quote=False)}\]{escape(note, quote=False)}</p>"
    return f"<p>{html_line(block)}</p>"


def html_line(line: str) -> str:
    """Return a line as HTML, without a paragraph around it."""
    parts = line.split("$")
    return "".join(
        rf"\({escape(part, quote=False)}\)" if number % 2 else escape(part, quote=False)
        for number, part in enumerate(parts)
    )


def latex(text: str) -> str:
    """Return a text as LaTeX."""
    blocks = "\n\n".join(map(_latex_block, _blocks(text)))
    return blocks.replace("\n\n\\[", "\n\\[")  # an empty line before a formula would be a paragraph


def _latex_block(block: str) -> str:
    if block.startswith("### "):
        return rf"\subsection*{{{latex_escaped(block[4:])}}}"
    formula, note = _displayed(block)
    if formula:
        remark = rf" \quad \text{{{latex_escaped(note.strip())}}}" if note else ""
        return rf"\[ {formula}{remark} \]"
    return latex_line(block)


def latex_line(line: str) -> str:
    """Return a line as LaTeX."""
    parts = line.split("$")
    return "".join(f"${part}$" if number % 2 else latex_escaped(part) for number, part in enumerate(parts))


def latex_escaped(text: str) -> str:
    r"""Return text without formulas for LaTeX.

    Example:
        >>> from kerasteach.exercises.markup import latex_escaped
        >>> latex_escaped("50 % of x_1")
        '50 \\% of x\\_1'
    """
    return "".join(_LATEX.get(character, character) for character in text)


def markdown(text: str) -> str:
    """Return a text as Markdown, with long formulas in several lines."""
    return "\n\n".join(_markdown_block(block) for block in _blocks(text))


def _markdown_block(block: str) -> str:
    formula, note = _displayed(block)
    return f"$$ {formula} $${note}" if formula else block


def markdown_escaped(text: str) -> str:
    """Return text without formulas for Markdown, such as a name."""
    return _MARKDOWN.sub(r"\\\1", text)


def _blocks(text: str) -> list[str]:
    return [block.strip() for block in text.split("\n\n") if block.strip()]


def _displayed(block: str) -> tuple[str, str]:
    """Return a displayed formula, a long one in several lines, and the remark after it; of other blocks, nothing."""
    match = re.fullmatch(r"\$\$(.*?)\$\$(.*)", block, re.DOTALL)
    if not match:
        return "", ""
    return _broken(match[1].strip()), match[2].rstrip()


def _broken(formula: str) -> str:
    """Return a formula with a line for each of its sides, where it is too long for one."""
    if len(re.sub(r"\\[a-z]+|[{}^_ ]", "", formula)) <= _LONG:
        return formula
    first, *sides = _sides(formula)
    lines = r" \\ ".join(f"&= {side}" for side in sides)
    return rf"\begin{{aligned}} {first} {lines} \end{{aligned}}"


def _sides(formula: str) -> list[str]:
    """Return what stands between the equals signs outside of all braces."""
    sides, depth = [""], 0
    for part in re.split(r"([{}]| = )", formula):
        depth += {"{": 1, "}": -1}.get(part, 0)
        if part == " = " and depth == 0:
            sides.append("")
        else:
            sides[-1] += part
    return sides
