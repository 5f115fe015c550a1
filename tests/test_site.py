"""The built documentation in a browser."""

import functools
import http.server
import re
import shutil
import threading
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest

pytestmark = pytest.mark.slow
SITE = Path(__file__).parents[1] / "build" / "html"
NAMES = "chromium", "chromium-browser", "google-chrome"
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
WIDTHS = {"desktop": 1280, "phone": 390}  # pixels
PAGES = sorted(
    str(page.relative_to(SITE)) for page in SITE.rglob("*.html") if "_static" not in page.parts
)


# Markup that is not rendered: roles, directives, mathematics.
RAW_MARKUP = re.compile(r":\w+:`|```|:::|\{\w+\}`|\$\$|\\(begin|frac|tag)\b|\*\*(?!kwargs|params)")


# What is measured on a page. The text is without code and without scikit-learn's diagrams, which
# contain raw docstrings. An element overflows if its content is wider than itself and it cannot
# scroll: ``.bd-article-container`` and ``article`` must not even scroll.
LOOK = """() => {
    const text = document.querySelector("main").cloneNode(true);
    text.querySelectorAll("pre, code, script, style, mjx-container, .sk-top-container")
        .forEach(e => e.remove());
    return {
        text: text.textContent,
        excess: document.documentElement.scrollWidth - window.innerWidth,
        overflow: [...document.querySelectorAll(".bd-article-container, article, article *")]
            .filter(e => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1
                && (e.matches(".bd-article-container, article")
                    || getComputedStyle(e).overflowX == "hidden")
                && !e.closest("mjx-container, .sk-top-container, .visually-hidden"))
            .map(e => `${e.tagName} ${e.className}: ${e.scrollWidth} in ${e.clientWidth} pixels`),
        cut: [...document.querySelectorAll("article pre, .bd-sidebar-secondary")]
            .filter(e => e.scrollWidth > e.clientWidth + 1)
            .map(e => `cut: ${e.textContent.trim().slice(0, 60)}`),
        split: [...document.querySelectorAll("dt > strong")]
            .filter(e => {
                const range = document.createRange();
                range.selectNodeContents(e);
                return new Set([...range.getClientRects()].map(line => line.top)).size > 1;
            })
            .map(e => `on two lines: ${e.textContent}`),
        contents: [...document.querySelectorAll(".bd-toc-nav a")].map(a => a.textContent.trim()),
        broken: [...document.images].filter(i => !i.naturalWidth).map(i => i.src),
        untyped: document.querySelectorAll("mjx-merror").length
            + [...document.querySelectorAll(".math")].filter(
                e => !e.querySelector("mjx-container")).length,
        links: [...document.querySelectorAll("a[href]")].map(a => a.href),
        ids: [...document.querySelectorAll("[id]")].map(e => e.id),
    }
}"""


@pytest.fixture(scope="module")
def browser():
    if not PAGES:
        pytest.skip("the documentation is not built: python -m sphinx -W docs build/html")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    api = pytest.importorskip("playwright.sync_api", reason="needs the extra docs (playwright)")
    with api.sync_playwright() as playwright:
        # In a container its own sandbox has not the rights that it needs; the pages are ours.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    handler = functools.partial(Quiet, directory=SITE)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(params=WIDTHS)
def page(request, browser, address):
    """A page of the browser; ``page.complaints`` has the errors of loading and scripts."""
    context = browser.new_context(viewport={"width": WIDTHS[request.param], "height": 900})
    page = context.new_page()
    page.complaints = complaints = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    # A request that was still under way when the test left the page is aborted.
    page.on(
        "requestfailed",
        lambda lost: "ABORTED" in lost.failure or complaints.append(f"not loaded: {lost.url}"),
    )
    page.on("response", lambda got: got.status >= 400 and complaints.append(f"missing: {got.url}"))
    page.on(
        "request",
        lambda sent: (
            sent.url.startswith((address, "data:")) or complaints.append(f"external: {sent.url}")
        ),
    )
    yield page
    context.close()


def visit(page, url):
    page.goto(url, wait_until="networkidle")
    page.evaluate("window.MathJax ? MathJax.startup.promise.then(() => null) : null")


def test_pages_render_without_errors(page, address):
    wrong, looks = {}, {}
    for name in PAGES:
        visit(page, address + name)
        looks[name] = look = page.evaluate(LOOK)
        found = [*page.complaints, *look["broken"]]
        found += [match.group() for match in RAW_MARKUP.finditer(look["text"])]
        found += [f"{look['excess']} pixels too wide"] * (look["excess"] > 0)
        found += look["overflow"] + look["split"]
        found += look["cut"] * (page.viewport_size["width"] == WIDTHS["desktop"])
        found += [f"{look['untyped']} formulas not typeset"] * (look["untyped"] > 0)
        contents = [entry for entry in look["contents"] if entry]
        found += [f"twice in the contents: {e}" for e in {*contents} if contents.count(e) > 1]
        if found:
            wrong[name] = found
        page.complaints.clear()
    assert wrong == {}, wrong
    assert dead_links(looks, address) == []


def test_front_page_tables_fit(page, address):
    visit(page, address)
    tables = page.locator("article .pst-scrollable-table-container")
    assert tables.count()
    assert tables.evaluate_all("all => all.filter(e => e.scrollWidth > e.clientWidth).length") == 0


def test_short_names_do_not_break(page, address):
    visit(page, address)
    call = page.locator("article td code", has_text="max_iter=3000").inner_html()
    assert "max_iter=3000" in call  # no <wbr> inside


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_output_has_the_colour_of_code(page, address, scheme):
    page.emulate_media(color_scheme=scheme)
    visit(page, address + "gallery/plot_xor.html")
    code, output = (
        page.locator(f"article {block} pre").first.evaluate(
            "e => getComputedStyle(e).backgroundColor"
        )
        for block in (".highlight-Python", ".sphx-glr-script-out")
    )
    assert output == code


def test_button_opens_the_contents(page, address):
    visit(page, address + "user_guide/messages.html")
    page.locator("button.secondary-toggle").click()
    page.locator("dialog a", has_text="Plotting").click()
    page.wait_for_url(re.compile("#plotting$"))


def dead_links(looks, address):
    """Links inside the site that lead nowhere, with the pages that have them."""
    dead = set()
    for name, look in looks.items():
        for link in look["links"]:
            url, fragment = urldefrag(urljoin(address + name, link))
            if not url.startswith(address) or fragment.startswith(":~:"):
                continue
            target = url.removeprefix(address) or "index.html"
            if not (SITE / target).exists() or (
                fragment and target in looks and fragment not in looks[target]["ids"]
            ):
                dead.add((name, link))
    return sorted(dead)


def test_navigation_reaches_every_section(page, address):
    visit(page, address)
    narrow = page.viewport_size["width"] < 600
    opener = ".primary-toggle" if narrow else ".bd-header button.dropdown-toggle.nav-item"
    links = (
        ".bd-sidebar-primary a.nav-link, dialog a.nav-link" if narrow else ".bd-header a.nav-link"
    )
    names = page.locator(links).evaluate_all("all => all.map(a => a.getAttribute('href'))")
    names = sorted({name for name in names if name.endswith(".html")})
    assert len(names) == 11
    for name in names:
        visit(page, address)
        link = page.locator(links.replace("a.nav-link", f"a.nav-link[href='{name}']")).first
        if not link.is_visible():
            page.locator(opener).first.click()
        link.click()
        page.wait_for_url(
            re.compile(re.escape(address + name) + "(#.*)?$"), wait_until="networkidle"
        )
        assert page.locator("article h1").first.is_visible()
    assert page.complaints == []


def search(page, address, words):
    """The titles that the search finds, best first."""
    visit(page, address)
    page.locator("button.search-button__button:visible, button.search-button:visible").first.click()
    box = page.locator("input[type=search]:visible").first
    box.fill(words)
    box.press("Enter")
    results = page.locator("#search-results ul.search li a")
    results.first.wait_for()
    page.wait_for_load_state("networkidle")
    return results.all_text_contents()


@pytest.mark.parametrize(
    ("words", "title", "best"),
    [
        ("GPU", "When to use it", 1),
        ("regression", "When to use it", 1),
        ("deep learning", "When to use it", 1),
        ("citation", "When to use it", 1),
        ("overfitting", "Regularise", 1),
        ("alpha", "Regularise", 1),
        ("hyperparameter tuning", "Choose n_h, learning_rate and a solver", 1),
        ("which solver should I use", "Choose n_h, learning_rate and a solver", 1),
        ("feature importance", "Plot and interpret a fitted network", 1),
        ("pickle", "Save, load and deploy a model", 1),
        ("validation_fraction", "TwoLayerSigmoidClassifier", 5),
        ("save model", "Save, load and deploy a model", 1),
        ("multiclass", "Multiclass and multilabel targets", 2),
        ("unscaled", "Scale the features", 2),
        ("stop_reason_", "Why training stopped: stop_reason_", 1),
        ("class_weight", "Imbalanced classes: class_weight", 2),
        ("probability calibration", "Probabilities and calibration", 1),
        ("compute_cost", "compute_cost", 1),
        ("learning rate", "Choose n_h, learning_rate and a solver", 1),
        ("GridSearchCV", "Choose n_h, learning_rate and a solver", 1),
        ("missing values", "Scale the features", 1),
        ("class weights", "Imbalanced classes: class_weight", 1),
        ("early stopping", "Early stopping", 1),
        ("ONNX", "Save, load and deploy a model", 1),
        ("regularization", "Regularise", 1),
        ("multi-label", "Multiclass and multilabel targets", 1),
        ("adam", "Migrate from scikit-learn", 1),
        ("random seed", "Reproducibility", 1),
        ("backpropagation", "The mathematics", 1),
        ("cross entropy", "Glossary", 1),
        ("online learning", "Continue training", 1),
        ("ended on the plateau", "Warnings and errors", 1),
        ("parameter of TwoLayerSigmoidClassifier must be", "Warnings and errors", 1),
    ],
)
def test_search_finds_the_page(page, address, words, title, best):
    titles = search(page, address, words)
    assert any(title in found for found in titles[:best]), titles
    assert page.complaints == []


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How do I choose alpha?", "Choose alpha"),
        ("What does stop_reason_ mean?", "Why training stopped"),
        ("How do I use class_weight?", "Imbalanced classes"),
        ("How do I save a model?", "Save a model"),
        ("What does this warning mean?", "Warnings and errors"),
    ],
)
def test_front_page_answers_questions(page, address, question, answer):
    visit(page, address)
    page.locator("article a", has_text=question).first.click()
    page.wait_for_load_state("networkidle")
    assert answer in page.locator("article").inner_text()


def test_front_page_links_stay_on_the_site(page, address):
    visit(page, address)
    links = page.locator("article a[href]").evaluate_all("all => all.map(a => a.href)")
    local = [link for link in links if link.startswith(address)]
    assert local
    assert [link for link in local if not re.search(r"\.html(#.*)?$|/#|/$", link)] == []


@pytest.mark.skipif(not PAGES, reason="the documentation is not built")
@pytest.mark.parametrize(
    ("example", "output"),
    [
        (
            "lecture",
            r"2 2\]: .* predicted 1\s.*8 8\]: .* predicted 1\s.*predicted 0\s.*predicted 0",
        ),
        ("growing_boundary", "the same weights: True True"),
        ("restarts", r"n_init=1: \d of 20 .*\sn_init=10: (19|20) of 20"),
    ],
)
def test_gallery_output_matches_the_text(example, output):
    page = (SITE / "gallery" / f"plot_{example}.html").read_text()
    assert re.search(output, re.sub("<[^>]+>", "", page))
