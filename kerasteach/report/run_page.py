"""Page of a run: what was run, the findings, the summary, charts, figures and tables, and how to run it again."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from kerasteach.diagnosis import diagnose, explain
from kerasteach.extras import how_to_install
from kerasteach.plotting.frames import on_a_terminal
from kerasteach.progress import progress_bar
from kerasteach.report import charts
from kerasteach.report.about import About
from kerasteach.report.chart_data import chart_set
from kerasteach.report.figures import figures_of, pictures
from kerasteach.report.page import check_page, page, write_page
from kerasteach.report.table_parts import table_parts
from kerasteach.tables.run import Run
from kerasteach.tables.summary_cells import columns_of, what_is_shown
from kerasteach.validation import flag


class FindingText(NamedTuple):
    """A finding in words: its name, the evidence, what to try, and the page of explanation of its rule."""

    severity: str
    head: str
    evidence: str
    remedy: str
    explanation: str


class SummaryText(NamedTuple):
    """A summary as text: what it shows, its headings, and its rows; a cell may have several lines."""

    caption: str
    headings: list[str]
    names: int
    rows: list[list[list[str]]]


def write_run_page(path: Any, run: Run, about: About, *, overwrite: Any = False, verbose: Any = 1) -> Path:
    """Write the page of a run.

    Args:
        path: The file, which ends in `.html`.
        run: Its tables.
        about: What the page says besides.
        overwrite: Whether an existing file may be replaced. Defaults to `False`.
        verbose: `1` for a progress bar on a terminal, `0` for none. Defaults to `1`.

    Returns:
        The path.

    Raises:
        FileExistsError: If the file exists and `overwrite` is false.
        ValueError, TypeError: If an argument or a table will not do.
    """
    path, show = check_page(path, overwrite), bool(flag("verbose", verbose))
    steps = 2 * len(figures_of(run)) + 1
    with progress_bar(show and on_a_terminal(), steps, "writing the page") as report:
        drawn = list(pictures(run, report))
        report(steps - 1, done="charts")
        html = _html(run, about, drawn)
        report(steps, done="")
    return write_page(path, html)


def _html(run: Run, about: About, drawn: Sequence[Any]) -> str:
    found, looked_at = _findings(run)
    usable = chart_set(run)
    library = charts.library() if charts.available() and usable.charts else None
    return page(
        "run.html.j2",
        styles=("page.css", "run.css"),
        scripts=("scrolling.js", "tables.js", *(["charts.js"] if library else [])),
        allowed=[library.code] if library else [],
        further_style=charts.colors(usable) if library else "",
        language="en",
        title=about.title,
        about=about,
        note=run.note,
        findings=found,
        looked_at=looked_at,
        summary=_summary(run, about.error_below),
        chart_set=usable,
        library=library,
        chart_values=charts.chart_values(usable) if library else None,
        install=how_to_install("report"),
        pictures=drawn,
        tables=list(table_parts(run)),
        made=f"kerasteach {version('kerasteach')}, Python {platform.python_version()}, {date.today().isoformat()}",
    )


def _findings(run: Run) -> tuple[list[FindingText], str]:
    """Return what the diagnosis found, and what it looked at; nothing where there are no gradients."""
    if not run.has("gradients"):
        return [], ""
    found = diagnose(*(run.tables[name] if run.has(name) else None for name in ("gradients", "activations", "history")))
    texts = []
    for number, row in enumerate(found.frame.itertuples(index=False)):
        head, _, rest = found.sentence(number).partition("\n  ")
        evidence, _, remedy = rest.rpartition("\n  Try: ")
        texts.append(FindingText(str(row.severity), head, evidence, remedy, explain(str(row.rule))))
    return texts, str(found).split("\n\n")[-1]


def _summary(run: Run, error_below: float | None) -> SummaryText | None:
    if run.summary is None:
        return None
    table = run.summary()
    columns = columns_of(table, error_below)
    names = [str(name).replace("_", " ") for name in table.index.names]
    rows = []
    for number, name in enumerate(table.index):
        keys = name if isinstance(name, tuple) else (name,)
        cells = [cells[number].split("\n") for cells in columns.values()]
        rows.append([*([str(key)] for key in keys), *cells])
    return SummaryText(what_is_shown(table), [*names, *columns], len(names), rows)
