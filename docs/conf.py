"""How Sphinx builds the documentation, by ``python -m sphinx -W docs build/html``."""

import importlib.util
from datetime import date

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
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["examples"]
templates_path = ["_templates"]
suppress_warnings = ["config.cache"]  # the order of the gallery is a class, which cannot be cached

myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
numpydoc_show_class_members = False  # each class has a page with all of its own members
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say more

html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_favicon = "_static/logo.svg"
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_theme_options = {
    "logo": {"text": project, "image_light": "_static/logo.svg", "image_dark": "_static/logo.svg"},
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    # Two pages need the width.
    "secondary_sidebar_items": {"**": ["page-toc"], "mathematics": [], "speed": []},
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"**": []}  # the header leads everywhere; code needs the width


class ByCourse:
    """The order of the gallery: the lecture first, then how to train, then data from elsewhere."""

    names = (
        "quickstart",
        "lecture",
        "xor",
        "growing_boundary",
        "n_h",
        "learning_rate",
        "restarts",
        "early_stopping",
        "class_weight",
        "diabetes",
        "dask",
        "pytorch",
    )

    def __init__(self, _: str) -> None:
        pass

    def __call__(self, filename: str) -> int:
        """The place of an example; one that is not listed is an error."""
        return self.names.index(filename.removeprefix("plot_").removesuffix(".py"))


with_torch = importlib.util.find_spec("torch") is not None
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    # What is not run, is shown without its output.
    "filename_pattern": r"/plot_" if with_torch else r"/plot_(?!pytorch)",
    "within_subsection_order": ByCourse,
    "backreferences_dir": "api/backreferences",  # which example uses which class
    "doc_module": ("two_layer_sigmoid",),
    "reference_url": {"two_layer_sigmoid": None},
    "remove_config_comments": True,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,  # that page loads scripts from elsewhere
}
