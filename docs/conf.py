"""How Sphinx builds the documentation, by ``python -m sphinx -W docs build/html``."""

import importlib.util
from datetime import date

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

import two_layer_sigmoid

project = "two-layer-sigmoid"
author = "the two-layer-sigmoid developers"
project_copyright = f"{date.today().year}, {author}"
version = release = two_layer_sigmoid.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx-mathjax-offline",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["examples"]
copybutton_exclude = ".linenos, .gp, .go"  # copy the code only
templates_path = ["_templates"]
suppress_warnings = ["config.cache"]  # the order of the gallery is a class, which cannot be cached

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath", "substitution"]
myst_substitutions = {"version": version}
myst_heading_anchors = 3
numpydoc_show_class_members = False  # the page of a class has all of its members
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings describe types

html_theme = "pydata_sphinx_theme"
html_title = f"{project} {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
toc_object_entries_show_parents = "hide"  # "On this page" has room for the method only
html_show_sourcelink = False
html_use_index = False  # no page leads to it
html_favicon = "_static/logo.svg"
html_context = {"default_mode": "auto"}  # light or dark as in the reader's system
html_theme_options = {
    "logo": {
        "text": project,  # without the version: it must fit on a phone
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
    },
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    # These two pages have wide tables and equations.
    "secondary_sidebar_items": {"**": ["page-toc"], "mathematics": [], "speed": []},
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
}
# Only the user guide has a sidebar; other pages use the width for code.
html_sidebars = {"user_guide/*": ["sidebar-nav-bs"], "[!u]**": []}


class GalleryOrder:
    """The order of the examples: the lecture first, then training, then other tools."""

    names = (
        "quickstart",
        "lecture",
        "xor",
        "growing_boundary",
        "n_h",
        "learning_rate",
        "restarts",
        "early_stopping",
        "cross_validation",
        "class_weight",
        "diabetes",
        "dask",
        "pytorch",
    )

    def __init__(self, _: str) -> None:
        pass

    def __call__(self, filename: str) -> int:
        """The position of an example; an example that is not listed is an error."""
        return self.names.index(filename.removeprefix("plot_").removesuffix(".py"))


with_torch = importlib.util.find_spec("torch") is not None
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    # Examples that are not run are shown without output.
    "filename_pattern": r"/plot_" if with_torch else r"/plot_(?!pytorch)",
    "within_subsection_order": GalleryOrder,
    "backreferences_dir": "api/backreferences",  # which example uses which class
    "doc_module": ("two_layer_sigmoid",),
    "reference_url": {"two_layer_sigmoid": None},
    "remove_config_comments": True,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,  # that page loads external scripts
}


class IndexOfMessages(SphinxTransform):
    """Index entries for the messages of "Warnings and errors": the search leads to the message."""

    default_priority = 500  # the entries are collected at 850

    def apply(self, **_: object) -> None:
        """Give each message an anchor and an index entry: its longest part that does not vary."""
        if self.env.docname != "user_guide/messages":
            return
        for term in self.document.findall(nodes.term):
            words = max(term.astext().split("…"), key=len).strip(" :,.")
            anchor = nodes.make_id(term.astext())
            term["ids"].append(anchor)
            index = addnodes.index(entries=[("single", words, anchor, "main", None)])
            term.insert(0, index)


def setup(app: Sphinx) -> None:
    """Register what this file adds to Sphinx."""
    app.add_transform(IndexOfMessages)
