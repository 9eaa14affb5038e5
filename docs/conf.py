"""Configuration of the documentation site, which `make docs` builds without a network."""

import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "extensions"))
from sources import package_digest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.pop("MPLBACKEND", None)  # in the tutorials' kernels any backend but the notebook's own hides every figure

project = "kerasteach"
author = "The kerasteach developers"
version = release = installed_version("kerasteach")
language = "en"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
    "gallery",
    "mathml",
    "reference",
    "rules",
    "tutorials",
]
exclude_patterns = ["_build", "conf.py", "extensions", "gallery/*.py", "tutorials/notebooks"]
nitpicky = True
# Types in signatures that this site has no page for: those of other packages, and private ones.
nitpick_ignore_regex = [("py:(class|data|obj|exc)", r".*")]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "cache"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_ipywidgets_js = {}
nb_merge_streams = True
nb_output_stderr = "remove"  # TensorFlow's log
# Another version of the package executes the tutorials again.
nb_execution_cache_path = str(DOCS / "_build" / "executed" / package_digest())

default_role = "literal"  # a single backtick in a docstring, as in Markdown
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the arguments' descriptions say what they take, in words
autodoc_preserve_defaults = True
autosummary_generate = False
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = ["Returns"]  # prose, in which a colon ends no type
add_module_names = False
toc_object_entries = False

html_theme = "pydata_sphinx_theme"
html_title = "kerasteach"
html_static_path = ["static"]
html_css_files = ["kerasteach.css"]
html_js_files = ["kerasteach.js"]
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # the summaries are fetched, which a browser refuses for a site opened from a file
html_sidebars = {page: [] for page in ("index", "five-minutes", "gallery", "changelog")}  # of one page
html_context = {"default_mode": "auto"}
html_theme_options = {
    "navbar_align": "left",
    "collapse_navigation": True,
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copyright = "The kerasteach developers, MIT license"  # noqa: A001  Sphinx's name for it
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
