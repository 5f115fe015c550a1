"""The page "Warnings and errors" lists every message of the package."""

import ast
import re
from collections import defaultdict
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "two_layer_sigmoid").rglob("*.py"))
PAGE = ROOT / "docs" / "user_guide" / "messages.md"
VARIABLE = "…"  # a part of a message that varies

# Functions that raise or warn with a message of their caller. The message is read in their callers.
FORWARDERS = {"_refuse", "_warn", "add_location"}


# Messages of the source


def messages_of(source):
    """The messages in a module, as pairs of line and pattern."""
    tree = ast.parse(source)
    names = assignments(tree)
    return {
        (call.lineno, text)
        for statement in tree.body
        if getattr(statement, "name", None) not in FORWARDERS
        for call in ast.walk(statement)
        if isinstance(call, ast.Call)
        for argument, ending in message_arguments(call)
        for text in texts(argument, names, ending)
    }


def message_arguments(call):
    """The arguments of a call that are messages, with what follows them."""
    name = getattr(call.func, "attr", None) or getattr(call.func, "id", "")
    if name == "_refuse":
        return [(case.elts[-1] if isinstance(case, ast.Tuple) else case, "") for case in call.args]
    if name == "add_location":
        return [(argument, f": {VARIABLE}") for argument in call.args[1:]]
    if name in {"_warn", "warn"} or name.endswith(("Error", "Warning")):
        return [(argument, "") for argument in call.args[:1]]
    return []


def assignments(tree):
    """All expressions that a name of the module stands for: of variables, loops and keywords."""
    names = defaultdict(list)
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[target], value=value):
                pairs = [(target, value)]
            case ast.For(target=target, iter=ast.Tuple(elts=values) | ast.List(elts=values)):
                pairs = [(target, value) for value in values]
            case ast.keyword(arg=str(name), value=value):
                pairs = [(ast.Name(name), value)]
            case _:
                continue
        for target, value in pairs:
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                parts = zip(target.elts, value.elts, strict=False)
            else:
                parts = [(target, value)]
            for part, expression in parts:
                if isinstance(part, ast.Name):
                    names[part.id].append(expression)
    return names


def texts(node, names, ending=""):
    """The texts that an expression can have, with … for the parts that vary."""
    match node:
        case ast.Constant(value=str(text)):
            found = {text}
        case ast.JoinedStr(values=parts):
            found = set(map("".join, product(*(texts(part, names) for part in parts))))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            found = set(map("".join, product(texts(left, names), texts(right, names))))
        case ast.IfExp(body=body, orelse=orelse):
            found = texts(body, names) | texts(orelse, names)
        case ast.FormattedValue(value=value):
            found = texts(value, names)
        case ast.Name(id=name) if name in names:
            outside = {other: names[other] for other in names if other != name}  # of its own value
            found = set().union(*(texts(value, outside) for value in names[name]))
        case _:
            found = {VARIABLE}
    return {re.sub(f"{VARIABLE}+", VARIABLE, text + ending) for text in found}


# Entries of the page


def entries(page):
    """The terms of the definition lists of each section."""
    _, *sections = re.split(r"^## ", page, flags=re.MULTILINE)
    return {
        section.splitlines()[0]: re.findall(r"^(?=`)`(.+)`\n: ", section, flags=re.MULTILINE)
        for section in sections
    }


ENTRIES = entries(PAGE.read_text(encoding="utf-8"))
TERMS = [
    term
    for section, terms in ENTRIES.items()
    for term in terms
    if section != "Errors of scikit-learn"
]


def matches(term, message):
    """Whether the parts of the term are in the message in this order, the first at its start."""
    parts = map(re.escape, term.split(VARIABLE))
    return re.match(".*".join(parts), message, flags=re.DOTALL) is not None


def without_entry(source):
    return {
        (line, message)
        for line, message in messages_of(source)
        if not any(matches(term, message) for term in TERMS)
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_page_lists_every_message(path):
    assert without_entry(path.read_text(encoding="utf-8")) == set()


def test_every_entry_matches_a_message():
    messages = {
        message for path in SOURCES for _, message in messages_of(path.read_text(encoding="utf-8"))
    }
    assert [term for term in TERMS if not any(matches(term, text) for text in messages)] == []


def test_entries_are_specific_and_unique():
    terms = [term for section in ENTRIES.values() for term in section]
    assert [term for term in terms if len(term.replace(VARIABLE, "")) < 10] == []
    assert len(set(terms)) == len(terms)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise ValueError('new text')", "new text"),
        ("raise TypeError(f'new {x!r} text: ' + y) from error", "new … text: …"),
        ("message = f'new {x}'\nraise ValueError(message)", "new …"),
        ("_warn('new text ' f'{x}', UserWarning)", "new text …"),
        ("warnings.warn(NewWarning('new text'))", "new text"),
        ("_refuse((x, 'new text'))", "new text"),
        ("for x, y in (a, 'new text'), (b, 'text'):\n raise KeyError(f'a {y}')", "a new text"),
        ("add_location(error, f'new {x}')", "new …: …"),
        ("raise ValueError('a new text' if x else y)", "a new text"),
        ("def f(message):\n raise ValueError(message)", "…"),  # cannot be read: fails too
    ],
)
def test_new_message_needs_an_entry(code, message):
    assert message in {text for _, text in without_entry(code)}
