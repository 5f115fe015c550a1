"""The project as a whole: README, pages, imports and side effects."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import two_layer_sigmoid
from two_layer_sigmoid import (
    TwoLayerSigmoidClassifier,
    TwoLayerSigmoidClassifierCV,
    distributed,
    export,
    network,
    plotting,
)

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "two_layer_sigmoid"
SOURCES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


# Each module may import only modules that come before it.
ORDER = [
    "_network",
    "network",
    "_parallel",
    "_callbacks",
    "_blocks",
    "_summary",
    "_targets",
    "_objective",
    "_monitor",
    "_solvers",
    "_prediction",
    "_checks",
    "_training",
    "_diagnostics",
    "_base",
    "_classifier",
    "_cross_validation",
    "distributed._data",
    "distributed.__init__",
    "export",
    "plotting._common",
    "plotting._hidden_units",
    "plotting._loss_curve",
    "plotting._network_drawing",
    "plotting._regularization_path",
    "plotting.__init__",
    "__init__",
]
EXAMPLES_OF_THE_LECTURE = [f"docs/examples/plot_{name}.py" for name in ("quickstart", "lecture")]
EDGES = {name for name in ORDER if name.startswith(("distributed", "export", "plotting"))}


def python_blocks(text):
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def in_fresh_process(code):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_readme_example_prints_its_output():
    text = (ROOT / "README.md").read_text()
    (example,) = python_blocks(text)
    (output,) = re.findall(r"```text\n(.*?)```", text, flags=re.DOTALL)
    assert len(example.strip().splitlines()) <= 10
    done = in_fresh_process(example)
    assert done.returncode == 0, done.stderr
    assert done.stdout == output


def test_pages_have_no_dead_links():
    dead = []
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text()
        prose = re.sub(r"\$[^$]+\$|\\begin\{equation.*?\\end\{equation", "", text, flags=re.DOTALL)
        links = re.findall(r"\]\(([^)#]+)\)", prose)
        local = [link for link in links if "://" not in link]
        dead += [(page.name, link) for link in local if not (page.parent / link).exists()]
    assert dead == []


@pytest.mark.slow
def test_quick_start_prints_what_it_promises(tmp_path):
    script = tmp_path / "plot_quickstart.py"
    script.write_text((ROOT / "docs" / "examples" / "plot_quickstart.py").read_text())
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    predictions = re.findall(r"^prediction for (.*): (\d)$", done.stdout, flags=re.MULTILINE)
    assert dict(predictions) == {"(2, 2)": "1", "(8, 8)": "1", "(2, 8)": "0", "(8, 2)": "0"}
    costs = re.findall(r"^Cost after iteration \d+: 0\.\d+", done.stdout, flags=re.MULTILINE)
    assert len(costs) == 11
    (lowest,) = re.findall(r"lowest (0\.\d+)", done.stdout)
    assert float(lowest) < 0.19
    assert all(f"{name} = [[" in done.stdout for name in ("W1", "b1", "W2", "b2"))
    assert done.stdout.count("\n          ") == 9  # the table of the search
    assert "best: {'learning_rate': " in done.stdout
    pictures = {path.name for path in tmp_path.glob("*.png") if path.stat().st_size > 10_000}
    assert pictures == {"quickstart_boundary.png", "quickstart_cost.png"}


@pytest.mark.slow
def test_learning_rate_example_prints_what_it_promises(tmp_path):
    script = tmp_path / "plot_learning_rate.py"
    script.write_text((ROOT / "docs" / "examples" / script.name).read_text())
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    rows = re.findall(
        r"^(raw|standardised) +([\d.]+) +([\d.]+)%(.*)", done.stdout, flags=re.MULTILINE
    )
    raised = {(features, rate): float(share) for features, rate, share, _ in rows}
    assert raised["raw", "1.2"] > 10  # per cent of the updates raise the cost
    assert max(raised["raw", "0.4"], *(raised["standardised", r] for r in ("1.2", "4.8"))) < 1
    assert "ended on the plateau" in next(end for *key, _, end in rows if key == ["raw", "0.1"])
    assert len(re.findall(r"^rate +[\d.]+(?: +0\.\d+){4}", done.stdout, flags=re.MULTILINE)) == 4
    assert "L-BFGS, n_h=" in done.stdout
    pictures = {path.name for path in tmp_path.glob("*.png")}
    assert pictures == {"learning_rate_curves.png", "learning_rate_search.png"}


def test_pages_use_one_model_for_the_lecture():
    models = {}
    for name in "README.md", "docs/quick_start.md", *EXAMPLES_OF_THE_LECTURE:
        (call,) = re.findall(
            r"TwoLayerSigmoidClassifier\(\s*n_h=2,[^)]*\)", (ROOT / name).read_text()
        )
        params = eval(call, vars(two_layer_sigmoid)).get_params()
        models[name] = {key: params[key] for key in params.keys() - {"random_state", "verbose"}}
    model = models["README.md"]
    assert models == dict.fromkeys(models, model)
    letter = {"batch_size": None, "momentum": 0, "standardize": False, "alpha": 0, "solver": "gd"}
    assert letter.items() <= model.items()


def test_equations_are_complete_and_ordered():
    text = (ROOT / "docs" / "mathematics.md").read_text()
    _, *equations = re.split(r"\\tag\{(?=\d+\})", text)
    assert [int(equation.split("}")[0]) for equation in equations] == list(range(1, 16))
    # After each comes the code, taken from the source by its first and last line, or its function.
    for equation in equations:
        assert re.search(r"\{literalinclude\} .*_(network|targets)\.py\n", equation)
        assert re.search(r":(start-at|pyobject): ", equation)


def test_reference_lists_every_public_name():
    page = (ROOT / "docs" / "api.md").read_text()
    entry = r"^(?: +|\.\. autoclass:: )two_layer_sigmoid\.(\S+)$"
    listed = re.findall(entry, page, flags=re.MULTILINE)
    modules = {
        module.__name__.split(".")[1]: module.__all__
        for module in (plotting, export, distributed, network)
    }
    public = {f"{module}.{name}" for module, names in modules.items() for name in names}
    public |= set(two_layer_sigmoid.__all__)
    assert set(listed) == public


@pytest.mark.slow
def test_conversion_from_mlp_classifier_is_exact():
    (block, *_) = python_blocks((ROOT / "docs" / "user_guide" / "coming_from.md").read_text())
    done = in_fresh_process(block)
    assert done.returncode == 0, done.stderr
    theirs, ours, end = map(float, re.findall(r"0\.\d+", done.stdout))
    assert theirs == ours >= end


@pytest.mark.slow
def test_skops_example_runs():
    pytest.importorskip("skops", reason="needs the extra skops")
    (block,) = python_blocks((ROOT / "docs" / "user_guide" / "security.md").read_text())
    done = in_fresh_process(block)
    assert done.returncode == 0, done.stderr


def test_training_has_no_side_effects():
    done = in_fresh_process(
        """
import sys, warnings
import numpy as np
from two_layer_sigmoid import TwoLayerSigmoidClassifier

def watch(event, arguments):
    writes = event == "open" and set(str(arguments[1] or "r")) & set("wax+")
    if writes or event.split(".")[0] in {"socket", "subprocess", "shutil", "tempfile"} or event in {
        "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.mkdir", "os.rename", "os.remove"
    }:
        print("DOES", event, arguments)

sys.addaudithook(watch)
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X, y = rng.normal(size=(50_000, 4)), rng.integers(0, 2, 50_000)
settings = {}, {"solver": "lbfgs"}, {"batch_size": 5000}, {"n_init": 2}, {"early_stopping": True}
for params in settings:
    clf = TwoLayerSigmoidClassifier(max_iter=3, n_jobs=2, random_state=0, verbose=2, **params)
    clf.fit(X, y).predict_proba(X)
open("/dev/null", "w").close()
print("end")
"""
    )
    assert done.returncode == 0, done.stderr
    does = [line for line in done.stdout.splitlines() if line.startswith("DOES")]
    # threadpoolctl 3.5 has the system's table of libraries read out, once, to find C's.
    does = [line for line in does if "ldconfig" not in line]
    assert len(does) == 1, does  # the last line's own, which shows that somebody watches
    assert "/dev/null" in does[0]


def test_readme_has_two_commands():
    blocks = re.findall(r"```sh\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    example, tests, documentation = (" ".join(block.split()) for block in blocks)
    assert example.endswith("python docs/examples/plot_quickstart.py")
    assert tests.endswith("python -m pytest -n auto")
    assert documentation.endswith("python -m sphinx -W docs build/html")


def test_import_loads_neither_extras_nor_edges():
    # pandas and rich are not among them: scikit-learn itself loads them where they are installed.
    extras = {"matplotlib", "polars", "onnx", "skl2onnx", "dask", "torch", "skops"}
    done = in_fresh_process("import sys, two_layer_sigmoid; print(*sys.modules)")
    loaded = {name.removeprefix("two_layer_sigmoid.") for name in done.stdout.split()}
    assert "_classifier" in loaded, done.stderr
    assert not loaded & (extras | EDGES)


@pytest.mark.parametrize("module", [distributed, export, plotting])
def test_package_has_the_names_of_its_modules(module):
    name = module.__name__.split(".")[1]
    assert {n for n, place in two_layer_sigmoid._LAZY.items() if place == name} == {*module.__all__}
    assert {name, *module.__all__} <= {*dir(two_layer_sigmoid)}
    assert getattr(two_layer_sigmoid, name) is module
    for public in module.__all__:
        assert getattr(two_layer_sigmoid, public) is getattr(module, public)


def test_modules_are_imported_at_their_first_use():
    done = in_fresh_process(
        """
import sys, two_layer_sigmoid
assert "HiddenUnitsDisplay" in dir(two_layer_sigmoid)
print("two_layer_sigmoid.plotting" in sys.modules)
print(two_layer_sigmoid.plotting.HiddenUnitsDisplay.__name__)
from two_layer_sigmoid import LossCurveDisplay
print("matplotlib" in sys.modules, hasattr(two_layer_sigmoid, "ploting"))
"""
    )
    assert done.stdout.split() == ["False", "HiddenUnitsDisplay", "False", "False"], done.stderr


def test_network_imports_numpy_only():
    tree = ast.parse(SOURCES["_network"].read_text())
    modules = {name.split(".")[0] for name in imported(tree)}
    assert modules == {"__future__", "typing", "numpy"}


def test_imports_have_one_direction():
    assert set(SOURCES) == set(ORDER)
    wrong = {}
    for i, module in enumerate(ORDER):
        names = {n for n in imported(ast.parse(SOURCES[module].read_text())) if n[0] == "."}
        package = module.split(".")[:-1]
        here = {".".join([*package, name[1:]]) for name in names if name[1] != "."}
        above = {name[2:] for name in names if name[1] == "."}
        wrong[module] = (here | above) - {name.removesuffix(".__init__") for name in ORDER[:i]}
    assert not any(wrong.values()), wrong


def imported(tree):
    """Names of the modules that a module imports; those of the package begin with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is None:
            yield from ("." * node.level + alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + node.module


def test_version_is_in_one_place():
    assert re.fullmatch(r"\d+\.\d+\.\d+", two_layer_sigmoid.__version__)
    assert "version =" not in (ROOT / "pyproject.toml").read_text().split("[tool.")[0]
    assert two_layer_sigmoid.__all__ == [
        "TwoLayerSigmoidClassifier",
        "TwoLayerSigmoidClassifierCV",
    ]


@pytest.mark.parametrize("cls", [TwoLayerSigmoidClassifier, TwoLayerSigmoidClassifierCV])
def test_docstrings_of_classes_are_short(cls):
    assert len(cls.__doc__.splitlines()) <= 170
