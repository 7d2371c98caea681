"""Configuration of the documentation; `make docs` builds it with warnings as errors."""

import re

from sphinx.application import Sphinx

from finitewidth._version import __version__

project = "finitewidth"
author = "The finitewidth developers"
copyright = "the finitewidth developers, licence Apache-2.0"
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "_static"]
master_doc = "index"
nitpicky = True

# MyST: $...$ and $$...$$ are formulas, `(label)=` and headings down to ### can be linked to.
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# The shapes stand in the docstrings, where they are defined; the signature stays short.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# One file inside the site, so that pages read the same without a network. The menu is off because
# its accessibility entries would fetch further files.
mathjax_path = "mathjax/tex-svg-full.js"
mathjax3_config = {"options": {"enableMenu": False}}

html_theme = "pydata_sphinx_theme"
html_title = "finitewidth"
html_static_path = ["_static"]
html_show_sourcelink = False
# The pages are few and stand in the header, so the left side bar would be empty.
html_sidebars = {"**": []}
html_theme_options = {
    "header_links_before_dropdown": 8,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}


def keep_norms(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]):
    """Let a docstring write ``|x|`` for a norm, which reStructuredText takes for a substitution.

    Bars are escaped in running text: not in backquotes, in examples or in indented blocks that
    follow ``::``.
    """
    block = None  # indentation of the line that opened a literal block
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if block is not None and line.strip() and indent <= block:
            block = None
        if block is None and not line.lstrip().startswith(">>>"):
            pieces = re.split(r"(``.+?``|`[^`]+`)", line)
            pieces[::2] = [piece.replace("|", r"\|") for piece in pieces[::2]]
            lines[number] = "".join(pieces)
        if block is None and re.search(r"::(\s|$)", line):
            block = indent


def setup(app: Sphinx) -> None:
    """Run after numpydoc (priority 500), on the text that it has rearranged."""
    app.connect("autodoc-process-docstring", keep_norms, priority=900)
