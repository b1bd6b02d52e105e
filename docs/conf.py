"""Sphinx configuration; ``make docs`` builds with -n -W, so a broken reference fails."""

import builtins
import os
import re
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from sphinx.addnodes import pending_xref
from sphinx.domains.python import PyObject

from comfyclient import Workflow

HERE = Path(__file__).parent

project = "comfyclient"
author = "The comfyclient authors"
copyright = "The comfyclient authors"  # noqa: A001 - Sphinx chose the name
release = version_of("comfyclient")
version = release

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"comfyclient {release}"
html_static_path = ["_static"]
html_css_files = ["comfyclient.css"]
html_logo = html_favicon = "_static/logo.svg"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b7a75", "color-brand-content": "#0b7a75"},
    "dark_css_variables": {"color-brand-primary": "#4fd1c5", "color-brand-content": "#4fd1c5"},
}
pygments_dark_style = "github-dark"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Notebooks are kept without outputs, which would age; each build runs them, on the server that is embedded in them.
os.environ.pop("COMFYUI_URL", None)
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 90  # seconds for one cell
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# Built without a network, so names of the standard library and of dependencies cannot be looked up.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!comfyclient\b).*"),
    (r"py:.*", r"comfyclient\..*\b_\w+(\..*)?"),  # private: protocols and type variables in signatures
]

# The classes that users make themselves; of all others the constructor is none of their business.
MADE_BY_USERS = {"Client", "ClientConfig", "EmbeddedServer", "Reconnect", "Retry", "Workflow"}


def signature(
    _app: Any, what: str, name: str, _object: Any, _options: Any, arguments: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Hide what nobody calls, and what attrs writes for a default that is made anew each time."""
    if what in {"class", "exception"} and name.rpartition(".")[2] not in MADE_BY_USERS:
        return "", None
    return arguments and re.sub(r"=(_Nothing\.)?NOTHING", "=…", arguments), returns


def draw(_app: Any) -> None:
    """Draw what the page about drawings shows."""
    picture = HERE / "_build" / "drawn" / "portrait.svg"
    picture.parent.mkdir(parents=True, exist_ok=True)
    Workflow.load(HERE / "examples" / "portrait.json").draw(highlight=["3"]).save(picture)


def unlink_builtins(_app: Any, doctree: Any) -> None:
    """Keep Sphinx from taking the ``type`` of an annotation for some class's property of that name."""
    for reference in list(doctree.findall(pending_xref)):
        if reference.get("refdomain") == "py" and hasattr(builtins, reference["reftarget"]):
            reference.replace_self(reference.children)


def unlink_embedded(_app: Any, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Take out the links of pictures to the servers in the notebooks, which ended with them."""
    if "body" in context:
        context["body"] = re.sub(r'<a [^>]*href="http://127\.0\.0\.1:\d+/[^>]*>(.*?)</a>', r"\1", context["body"])


def setup(app: Any) -> None:
    """Called by Sphinx."""
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"  # as the docstrings call them
    app.connect("autodoc-process-signature", signature)
    app.connect("builder-inited", draw)
    app.connect("doctree-read", unlink_builtins)
    app.connect("html-page-context", unlink_embedded)
