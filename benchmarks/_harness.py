"""The runner of the benchmarks, and what they share: results, tables, figures and pages.

A benchmark is a module of this folder that defines

- a docstring whose first line says what is measured;
- ``MINUTES``: how long it takes on two cores, roughly;
- ``rows()``: measures, and yields the rows of ``results/NAME.csv``, each a dict;
- ``table(results)``: Markdown, from a data frame of these rows;
- ``figures(results)``, optional: a dict of Matplotlib figures, for ``docs/images/KEY.png``.

A page of ``docs`` has the table between the lines ``<!-- NAME -->`` and ``<!-- end -->``. Between
``<!-- machine -->`` and ``<!-- end -->`` it has the machines of all results that it shows.
"""

from __future__ import annotations

import argparse
import os
import pkgutil
import platform
import re
import warnings
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

import benchmarks

RESULTS = Path(__file__).parent / "results"
DOCS = Path(__file__).parents[1] / "docs"
PACKAGES = ("two-layer-sigmoid", "numpy", "scipy", "scikit-learn", "torch", "jax", "dask")
BLOCK = re.compile(r"^<!-- (\w+) -->$.*?^<!-- end -->$", re.DOTALL | re.MULTILINE)
OURS, BASELINE = "#0b5394", "#b45f06"  # colours, different in greyscale too


def main(arguments=None):
    modules = find()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Run benchmarks, save their results, and update their tables and pictures.",
        epilog="Without a name all benchmarks are listed.",
    )
    help_of_names = "benchmarks; 'render' updates all tables and pictures without measuring"
    parser.add_argument("names", nargs="*", metavar="NAME", help=help_of_names)
    names = parser.parse_args(arguments).names
    if unknown := set(names) - {"render", *modules}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}. There are: {', '.join(modules)}.")
    if not names:
        print(listing(modules))
    for name in names:
        if name == "render":
            render(modules)
        else:
            run(name, modules[name])
            render({name: modules[name]})


def find():
    """The benchmarks by name: the modules of the folder that define ``MINUTES``."""
    names = [found.name for found in pkgutil.iter_modules(benchmarks.__path__)]
    modules = {name: import_module(f"benchmarks.{name}") for name in names if name[0] != "_"}
    return {name: module for name, module in modules.items() if hasattr(module, "MINUTES")}


def listing(modules):
    return "\n".join(
        f"{name:<17}{module.MINUTES:>3} min  {module.__doc__.splitlines()[0]}"
        for name, module in modules.items()
    )


def run(name, module):
    """Print each row as soon as it is measured, save all, and print the table."""
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fits that stop at max_iter or on a plateau
        for row in module.rows():
            print(*(f"{key}={short(value)}" for key, value in row.items()), sep=", ", flush=True)
            rows.append(row)
    save(pd.DataFrame(rows), name)
    print(module.table(read(name)))


def short(value):
    return f"{value:.4g}" if isinstance(value, float) else value


def render(modules):
    """Write the tables of these benchmarks into the pages, and draw their figures."""
    for path in sorted(DOCS.rglob("*.md")):
        page = path.read_text()
        if rendered(page, modules) != page:
            path.write_text(rendered(page, modules))
            print(f"updated {path}")
    for name, module in modules.items():
        if hasattr(module, "figures"):
            for key, figure in module.figures(read(name)).items():
                figure.savefig(DOCS / "images" / f"{key}.png", dpi=110)


def rendered(page, modules):
    """The page with the tables of these benchmarks, and with the machines of all on the page."""
    names = [name for name in BLOCK.findall(page) if name != "machine"]

    def block(match):
        name = match[1]
        if name != "machine" and name not in modules:
            return match[0]
        text = machines(names) if name == "machine" else modules[name].table(read(name))
        return f"<!-- {name} -->\n\n{text}\n\n<!-- end -->"

    return BLOCK.sub(block, page)


def machines(names):
    """A line for each machine, from the first lines of the results."""
    measured = {}
    for name in names:
        lines = (RESULTS / f"{name}.csv").read_text().splitlines()
        machine = "; ".join(line[2:] for line in lines if line.startswith("# "))
        measured.setdefault(machine, []).append(name)
    lines = (f"Machine of {', '.join(some)}: {machine}" for machine, some in measured.items())
    return "\n\n".join(lines)


def save(results, name):
    """Write a data frame to ``results/NAME.csv``, with the machine in comments."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.csv").open("w") as file:
        file.writelines(f"# {line}\n" for line in describe())
        results.to_csv(file, index=False, float_format="%.6g")


def lowest_bold(losses):
    """The losses of a line of a table; the lowest is bold."""
    best = min(losses)
    return [f"**{loss:.3f}**" if loss == best else f"{loss:.3f}" for loss in losses]


def read(name):
    """Read a result of ``save``."""
    return pd.read_csv(RESULTS / f"{name}.csv", comment="#", keep_default_na=False, na_values=[""])


def describe():
    """The machine, and the versions of the packages."""
    python = f"Python {platform.python_version()}"
    yield f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, {python}"
    yield ", ".join(f"{package} {_version(package)}" for package in PACKAGES)


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def markdown(header, rows):
    """A table; all cells are strings."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(share):
    return f"{100 * share:.0f} %"


def three_digits(figure):
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"
