"""Markdown, LaTeX and PDF: a sheet for each student."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kerasteach.exercises import markup
from kerasteach.exercises.formats.sheet import Sheet, stems
from kerasteach.exercises.question import Gettext

_SECONDS = 120  # after which pdflatex is not waited for any more
_PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage[margin=2.5cm]{geometry}
\usepackage{amsmath,graphicx}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6em}
\AtBeginDocument{\setlength{\abovedisplayskip}{4pt}\setlength{\belowdisplayskip}{4pt}}
\pagestyle{plain}
"""


def markdown_files(sheets: Sequence[Sheet], solutions: bool, _: Gettext) -> dict[str, bytes]:
    """Return a Markdown file for each student, and its figure."""
    files = {}
    for sheet, stem in stems(sheets, solutions):
        exercise = sheet.exercise
        parts = [f"# {exercise.title}", markup.markdown_escaped(sheet.student), markup.markdown(exercise.text)]
        if exercise.picture:
            files[f"{stem}.png"] = exercise.picture.png
            parts.append(f"![{markup.markdown_escaped(exercise.picture.description)}]({stem}.png)")
        lines = [f"{number}. {question.text}" for number, question in enumerate(exercise.questions, start=1)]
        parts.append("\n".join(lines))
        if solutions:
            title = _("Solution")
            parts += [f"## {title}", markup.markdown(exercise.solution(_))]
        files[f"{stem}.md"] = ("\n\n".join(parts) + "\n").encode()
    return files


def latex_files(sheets: Sequence[Sheet], solutions: bool, _: Gettext) -> dict[str, bytes]:
    """Return a LaTeX file for each student, and its figure."""
    files = {}
    for sheet, stem in stems(sheets, solutions):
        picture = sheet.exercise.picture
        name = _image_name(stem)
        if picture:
            files[name] = picture.png
        files[f"{stem}.tex"] = _latex(sheet, name, solutions, _).encode()
    return files


def _image_name(stem: str) -> str:
    """Return the name of a figure's file, in letters that every LaTeX can read."""
    return f"{re.sub(r'[^a-zA-Z0-9-]', lambda match: f'{ord(match[0]):x}', stem)}.png"


def _latex(sheet: Sheet, image: str, solutions: bool, _: Gettext) -> str:
    exercise = sheet.exercise
    parts = [
        _PREAMBLE + r"\begin{document}",
        rf"\section*{{{markup.latex_escaped(exercise.title)}}}",
        rf"\textbf{{{markup.latex_escaped(sheet.student)}}}",
        markup.latex(exercise.text),
    ]
    if exercise.picture:
        parts.append(rf"\begin{{center}}\includegraphics[width=0.75\textwidth]{{{image}}}\end{{center}}")
    lines = [
        rf"\item {markup.latex_line(question.text)} \hfill \rule{{3.5cm}}{{0.4pt}}" for question in exercise.questions
    ]
    parts.append("\n".join([r"\begin{enumerate}\setlength{\itemsep}{0.8em}", *lines, r"\end{enumerate}"]))
    if solutions:
        title = _("Solution")
        parts += [rf"\section*{{{markup.latex_escaped(title)}}}", markup.latex(exercise.solution(_))]
    return "\n\n".join([*parts, r"\end{document}"]) + "\n"


def pdf_files(sheets: Sequence[Sheet], solutions: bool, _: Gettext) -> dict[str, bytes]:
    """Return a PDF for each student.

    Raises:
        RuntimeError: If there is no pdflatex, or it cannot set a sheet; the message names the student.
    """
    program = shutil.which("pdflatex")
    if program is None:
        raise RuntimeError(
            "A PDF needs the program pdflatex on the path, from a LaTeX such as TeX Live (https://tug.org/texlive). "
            "Received: format='pdf', without it; format='latex' writes what it sets, format='markdown' needs nothing."
        )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = {}
        for sheet, stem in stems(sheets, solutions):
            if sheet.exercise.picture:
                (folder / "figure.png").write_bytes(sheet.exercise.picture.png)
            (folder / "sheet.tex").write_text(_latex(sheet, "figure.png", solutions, _), encoding="utf-8")
            files[f"{stem}.pdf"] = _set(program, folder, sheet.student)
        return files


def _set(program: str, folder: Path, student: str) -> bytes:
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "sheet.tex"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"pdflatex took longer than {_SECONDS} s for the sheet of {student}.") from None
    if done.returncode:
        lines = done.stdout.decode(errors="replace").splitlines()
        reason = next((line[2:] for line in lines if line.startswith("! ")), "no more is known")
        raise RuntimeError(
            f"pdflatex cannot set the sheet of {student}: {reason} Received: format='pdf'; format='markdown' and "
            "format='notebook' have all letters."
        )
    return (folder / "sheet.pdf").read_bytes()
