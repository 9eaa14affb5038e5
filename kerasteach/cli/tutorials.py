"""The command `kerasteach tutorials`."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile
from typing import Annotated, Any

import typer

from kerasteach.cli.options import Files, Force
from kerasteach.extras import how_to_install

_PACKAGE = Path(__file__).parents[1]
_KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def tutorials(
    copy: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Copy the tutorials, as Python files, into a folder.", show_default=False),
    ] = None,
    notebooks: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write them as Jupyter notebooks into a folder, without outputs unless --execute is given.",
            show_default=False,
        ),
    ] = None,
    execute: Annotated[
        bool,
        typer.Option(
            "--execute", help="With --notebooks: run all of them, so that numbers and figures are in them (minutes)."
        ),
    ] = False,
    run: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="Run one here; its figures go into figures/.", show_default=False),
    ] = None,
    force: Force = False,
) -> None:
    """List the tutorials, which come with the package; copy them, make notebooks of them, or run one.

    \b
    kerasteach tutorials
    kerasteach tutorials --notebooks course
    kerasteach tutorials --notebooks course --execute
    kerasteach tutorials --run 05
    """  # noqa: D301  the mark of lines that stay as they are
    if sum(option is not None for option in (copy, notebooks, run)) > 1:
        raise ValueError("`copy`, `notebooks` and `run` are three things to do. Give one of them.")
    if execute and notebooks is None:
        raise ValueError("`execute` needs a folder for the notebooks: --notebooks DIR.")
    if run is not None:
        _run(_chosen(run))
    elif copy is not None:
        _write(Files(copy, force, "--copy"), {path.name: path for path in scripts()}, copyfile)
    elif notebooks is not None:
        _check_installed(execute)
        named = {f"{path.stem}.ipynb": path for path in scripts()}
        _write(Files(notebooks, force, "--notebooks"), named, _executed_notebook if execute else _notebook)
    else:
        for path in scripts():
            typer.echo(f"{path.stem[:2]}  {title(path)}")


def scripts() -> list[Path]:
    """Return the tutorials' Python files: those beside the package's modules, or in a clone those above it."""
    places = (_PACKAGE / "tutorials", _PACKAGE.parent / "tutorials")
    return sorted(path for place in places for path in place.glob("[0-9][0-9]_*.py"))


def title(path: Path) -> str:
    """Return the heading of a tutorial."""
    heading = re.search(r"^# # (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return heading[1] if heading else path.stem


def _chosen(number: str) -> Path:
    """Return the tutorial of a number, `"05"` or `"5"`, or of a file's name."""
    stem = Path(number).stem
    for path in scripts():
        if stem in (path.stem, path.stem[:2]) or stem.zfill(2) == path.stem[:2]:
            return path
    known = ", ".join(path.stem[:2] for path in scripts())
    raise ValueError(f"`run` must be the number of a tutorial: {known}. Received: run={number!r}.")


def _run(path: Path) -> None:
    """Run a tutorial in a process of its own, and leave with its status where it fails."""
    status = subprocess.run([sys.executable, path], check=False).returncode
    if status:
        raise typer.Exit(status)


def _write(files: Files, named: dict[str, Path], write: Any) -> None:
    """Write a file for each tutorial, all or none, and print their paths."""
    for name in named:
        files.path(name)
    with tempfile.TemporaryDirectory() as folder:
        for name, path in named.items():
            write(path, Path(folder, name))
        for written in files.move(Path(folder), named):
            typer.echo(written)


def _check_installed(execute: bool) -> None:
    """Raise ImportError where a package is missing that makes notebooks, or runs them."""
    needed = ["jupytext", "nbformat"] + ["ipykernel", "mlxtend", "nbclient"] * execute
    if not all(map(find_spec, needed)):
        raise ImportError(
            f"`notebooks` needs the packages of the extra kerasteach[notebooks]: {how_to_install('notebooks')}."
        )


def _notebook(path: Path, target: Path) -> None:
    save_notebook(notebook_of(path), target)


def _executed_notebook(path: Path, target: Path) -> None:
    """Write a notebook with the outputs of its cells; files that it writes go with the folder it ran in."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = notebook_of(path)
    with tempfile.TemporaryDirectory() as folder:
        where = {"metadata": {"path": folder}}
        try:
            client = NotebookClient(notebook, timeout=None, kernel_name=_KERNEL["name"], resources=where)
            client.execute(stderr=subprocess.DEVNULL)  # the logs of the kernel and of TensorFlow
        except CellExecutionError as error:
            raise RuntimeError(f"Tutorial {path.stem[:2]} ended with {error.ename}: {error.evalue}") from error
    save_notebook(notebook, target)


def notebook_of(path: Path) -> Any:
    """Return a tutorial as a notebook, the same each time."""
    import jupytext

    notebook = jupytext.read(path)
    notebook.metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    return notebook


def save_notebook(notebook: Any, target: Path) -> None:
    """Write a notebook without what is on standard error, which is TensorFlow's log of this machine."""
    import nbformat

    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.nbformat, notebook.nbformat_minor = 4, 5  # the first version whose cells have an id
    nbformat.write(notebook, target)
