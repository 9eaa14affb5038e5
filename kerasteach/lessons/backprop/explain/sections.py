"""Sections of an explanation: sentences and equations, written as text, Markdown or LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from kerasteach.lessons.backprop.explain.formulas import Formula, Style, number
from kerasteach.validation import choice


@dataclass(frozen=True)
class Equation:
    """A line `left = form = ... = numbers = value`."""

    left: Formula  # the symbol
    forms: tuple[Formula, ...] = ()  # its formulas; the last one is also written with its numbers
    note: str = ""  # a remark after the line

    def written(self, latex: bool = False) -> str:
        """Write the line; a part that repeats another is left out."""
        symbols, numbers = Style(latex=latex), Style(numbers=True, latex=latex)
        parts = [self.left.write(symbols), *(form.write(symbols) for form in self.forms)]
        parts += [self.forms[-1].write(numbers)] if self.forms else []
        return " = ".join(dict.fromkeys([*parts, number(self.left.value, latex)]))


@dataclass
class Section:
    """One of the course's four steps: a title, sentences and equations."""

    title: str
    gettext: Callable[[str], str]  # translates what the section says by itself
    lines: list[str | Equation] = field(default_factory=list)

    def sentence(self, text: str) -> None:
        """Add a sentence."""
        self.lines.append(text)

    def equation(self, left: Formula, *forms: Formula, note: str = "") -> None:
        """Add an equation."""
        self.lines.append(Equation(left, forms, note))

    def each(self, examples: int) -> Iterator[int]:
        """Yield the examples of a batch; name each, where there are several."""
        _ = self.gettext
        for example in range(examples):
            if examples > 1:
                self.sentence(_("Example {example}:").format(example=example))
            yield example


def render(sections: Sequence[Section], format: str) -> str:  # noqa: A002  the public argument's name
    """Write sections as `"text"`, `"markdown"` or `"latex"`.

    Raises:
        TypeError: If the format is no text.
        ValueError: If it is another one.
    """
    writers = {"text": _text, "markdown": _markdown, "latex": _latex}
    write = writers[choice("format", format, writers)]
    return "\n\n".join(write(section) for section in sections) + "\n"


def _text(section: Section) -> str:
    lines = [section.title]
    for line in section.lines:
        lines.append(f"   {line}" if isinstance(line, str) else f"      {line.written()}{_note(line)}")
    return "\n".join(lines)


def _markdown(section: Section) -> str:
    blocks = [f"### {section.title}"]
    for line in section.lines:
        blocks.append(line if isinstance(line, str) else f"$$ {line.written(latex=True)} $${_note(line)}")
    return "\n\n".join(blocks)


def _note(equation: Equation) -> str:
    return f" ({equation.note})" if equation.note else ""


def _latex(section: Section) -> str:
    title = section.title.replace(" ", "~")
    bold = "mathbf" if title.isascii() else "textbf"  # in a formula, LaTeX knows no letter beyond ASCII
    lines = [rf"& \{bold}{{{title}}} \\"]
    for line in section.lines:
        if isinstance(line, str):
            lines.append(rf"& \text{{{_escaped(line)}}} \\")
        else:
            note = rf" \quad \text{{({_escaped(line.note)})}}" if line.note else ""
            lines.append(rf"& {line.written(latex=True)}{note} \\")
    return "\n".join([r"\[", r"\begin{aligned}", *lines, r"\end{aligned}", r"\]"])


def _escaped(sentence: str) -> str:
    """Return a sentence for LaTeX: names of layers have underscores."""
    for character in "_#%&$":
        sentence = sentence.replace(character, rf"\{character}")
    return sentence
