"""The tutorials as pages, and as notebooks to be downloaded, with the outputs that the pages show.

Pages link to the scripts, as a code host needs it; on the site these links lead to the tutorials' pages.
"""

import re
from pathlib import Path

import nbformat
from docutils import nodes

from kerasteach.cli.tutorials import notebook_of, save_notebook

DOCS = Path(__file__).parents[1]
SCRIPTS = DOCS.parent / "tutorials"
PAGES = DOCS / "tutorials"


def collect(app=None):
    """Copy the scripts to where Sphinx finds pages, and make notebooks of them; what is up to date stays untouched."""
    scripts = {path.name: path for path in sorted(SCRIPTS.glob("[0-9]*.py"))}
    for page in PAGES.glob("*.py"):
        if page.name not in scripts:
            page.unlink()
    (PAGES / "notebooks").mkdir(parents=True, exist_ok=True)
    for name, script in scripts.items():
        text = script.read_text(encoding="utf-8")
        page = PAGES / name
        notebook = PAGES / "notebooks" / f"{script.stem}.ipynb"
        if not page.exists() or page.read_text(encoding="utf-8") != text or not notebook.exists():
            page.write_text(text, encoding="utf-8")
            save_notebook(notebook_of(script), notebook)  # without outputs yet, so that the page finds what it links to


def change_source(app, name, content):
    """Put the link to the notebook below a tutorial's title, and turn links to scripts into links to pages."""
    folder, _, stem = name.rpartition("/")
    if folder != "tutorials" or stem == "index":
        content[0] = re.sub(r"\]\(((?:\.\./)*)\.\./tutorials/(?=\d)", r"](\1tutorials/", content[0])
        return
    head, title, rest = content[0].partition("# %% [markdown]\n# # ")
    line, _, rest = rest.partition("\n")
    link = f"{{download}}`Download as notebook <notebooks/{stem}.ipynb>`"
    content[0] = f"{head}{title}{line}\n#\n# {link}\n{rest}"


def give_outputs(app, doctree):
    """Write the notebook to be downloaded anew, with the outputs of the cells that were executed for the page."""
    folder, _, stem = app.env.docname.rpartition("/")
    target = PAGES / "notebooks" / f"{stem}.ipynb"
    if folder != "tutorials" or not target.exists():
        return
    notebook = notebook_of(SCRIPTS / f"{stem}.py")
    executed = nbformat.read(Path(app.env.mystnb_config.output_folder, folder, f"{stem}.ipynb"), as_version=4)
    for cell, done in zip(notebook.cells, executed.cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = done.outputs, done.execution_count
    save_notebook(notebook, target)


def mend_players(app, doctree):
    """Let an animation's player load nothing, and name its picture and slider for screen readers."""
    for node in doctree.findall(nodes.raw):
        if "anim-slider" in node.astext():
            html = re.sub(r"<link[^>]*font-awesome[^>]*>", "", node.astext())
            html = html.replace("<img id=", '<img alt="The animation: a frame at a time" id=')
            html = html.replace('<input id="_anim_slider', '<input aria-label="Frame" id="_anim_slider')
            node.children = [nodes.Text(html)]
            node.rawsource = html


def setup(app):
    """Register all of it."""
    app.connect("builder-inited", collect)
    app.connect("source-read", change_source)
    app.connect("doctree-read", give_outputs)
    app.connect("doctree-read", mend_players)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
