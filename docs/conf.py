"""Sphinx configuration; ``make docs`` builds with -n -W, so a broken reference fails."""

from importlib.metadata import version as version_of

project = "comfyclient"
author = "The comfyclient authors"
copyright = "The comfyclient authors"  # noqa: A001 - Sphinx chose the name
release = version_of("comfyclient")
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"comfyclient {release}"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

# Built without a network, so names of the standard library and of dependencies cannot be looked up.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!comfyclient\b).*"),
]
