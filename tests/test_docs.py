"""What the pages and the docstrings promise: the snippets run, the sections are there."""

import ast
import inspect
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import classifier
from classifier.agreement import AgreementReport
from classifier.annotations import AnnotationSet, write_annotations
from classifier.articles import article_record
from classifier.evaluation import Comparison, Evaluation
from classifier.files import write_json_lines
from classifier.predictions import Explanation, Predictions
from classifier.profiles import Plan, Profile
from classifier.prompts import Prompts
from classifier.score import Scorer

DOCS = Path(__file__).parent.parent / "docs"
PACKAGE = DOCS.parent / "classifier"
NEVER_RAISE = {"find_mentions", "explain_mentions", "restricted"}
"""They take what was checked before."""


def _blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def _public_functions() -> dict[str, Callable[..., Any]]:
    found = {}
    for name in classifier.__all__:
        value = getattr(classifier, name)
        if "_verb" in vars(value) and inspect.ismodule(value):
            where, _, function = vars(value)["_verb"].partition(":")
            found[name] = getattr(import_module(where), function)
        elif inspect.isfunction(value):
            found[name] = value
    return found


FUNCTIONS = _public_functions()


@pytest.mark.slow
def test_the_python_of_the_tutorial_and_the_recipes_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_set: AnnotationSet
) -> None:
    monkeypatch.chdir(tmp_path)
    second = toy_set.table.assign(annotator="second")
    both = pd.concat([toy_set.table, second], ignore_index=True)
    write_annotations(replace(toy_set, table=both), "coded")
    Path("corpus").mkdir()
    write_json_lines(Path("corpus/a.jsonl"), map(article_record, toy_set.articles))
    names: dict[str, Any] = {}
    blocks = [*_blocks("tutorial.md", "python"), *_blocks("how-to.md", "python")]
    assert blocks
    for block in blocks:
        exec(block.replace("folds=5", "folds=2"), names)
    assert Path("report.html").stat().st_size > 0
    assert Path("figure.svg").stat().st_size > 0


def test_labels_from_elsewhere_are_compared_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_set: AnnotationSet
) -> None:
    monkeypatch.chdir(tmp_path)
    write_annotations(toy_set, "coded")
    rows = toy_set.table[["unit", "stance"]]
    rows.sample(frac=1, random_state=0).to_json("claude.jsonl", orient="records", lines=True)
    names: dict[str, Any] = {"classifier": classifier, "frame": rows}
    for block in _blocks("labels.md", "python"):
        exec(block, names)


def _has_r(package: str) -> bool:
    """Whether R is installed, with the package."""
    asked = ["Rscript", "-e", f'quit(status = !requireNamespace("{package}", quietly = TRUE))']
    return (
        shutil.which("Rscript") is not None and subprocess.run(asked, check=False).returncode == 0
    )


@pytest.mark.skipif(not _has_r("jsonlite"), reason="R and jsonlite are not installed")
def test_the_r_code_runs_as_far_as_its_packages_are_there(
    tmp_path: Path, toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    write_annotations(toy_set, tmp_path / "coded")
    toy_scores.to_json(
        tmp_path / "predictions.jsonl", orient="records", lines=True, force_ascii=False
    )
    toy_scores.to_parquet(tmp_path / "predictions.parquet")
    # The command is tested elsewhere; here its answer is enough.
    (tmp_path / "profile.json").write_text("{}", encoding="utf-8")
    blocks = [block.replace("system(", "nchar(") for block in _blocks("r-users.md", "r")]
    assert len(blocks) == 8
    script = "loads <- function(...) all(sapply(c(...), requireNamespace, quietly = TRUE))\n"
    for number, block in enumerate(blocks, start=1):
        names = [*re.findall(r"library\((\w+)\)", block), *re.findall(r"(\w+)::", block)]
        needed = ", ".join(f'"{name}"' for name in names or ["base"])
        script += f'if (loads({needed})) {{\n{block}\ncat("block {number} was run\\n")\n}}\n'
    done = subprocess.run(
        ["Rscript", "-e", script], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    # What needs arrow or quanteda is run only where they are; the page says so.
    run = {int(number) for number in re.findall(r"block (\d) was run", done.stdout)}
    assert {2, 3, 4, 5, 8} <= run


def test_every_other_python_block_is_run_too() -> None:
    # The pages on serving and on R need packages that the project does not ask for.
    run = {"tutorial.md", "how-to.md", "labels.md", "serving.md"}
    with_python = {page.name for page in DOCS.glob("*.md") if _blocks(page.name, "python")}
    assert with_python <= run


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_json_and_toml_on_a_page_can_be_read(page: Path) -> None:
    for block in _blocks(page.name, "json"):
        for line in block.strip().splitlines() if block.count("\n{") else [block]:
            json.loads(line)
    for block in _blocks(page.name, "toml"):
        tomllib.loads(block)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_docstring_has_the_sections_that_its_signature_asks_for(name: str) -> None:
    function = FUNCTIONS[name]
    signature, text = inspect.signature(function), inspect.getdoc(function) or ""
    sections = set(re.findall(r"^(Args|Returns|Yields|Raises):$", text, flags=re.MULTILINE))
    wanted = {"Args"} if signature.parameters else set()
    if signature.return_annotation not in (None, "None"):
        wanted.add("Returns")
    if function.__name__ not in NEVER_RAISE:
        wanted.add("Raises")
    assert wanted <= sections
    named = re.findall(r"^    (\w+): \S", text, flags=re.MULTILINE)
    assert set(signature.parameters) <= set(named)


def test_every_public_name_has_a_docstring() -> None:
    assert not [n for n in classifier.__all__ if not inspect.getdoc(getattr(classifier, n))]


def _public(node: ast.AST, is_public: bool = True) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Functions and classes of a module without an underscore, and the methods of such classes."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.ClassDef):
            continue
        own = is_public and not child.name.startswith("_")
        if own:
            yield child
        if isinstance(child, ast.ClassDef):
            yield from _public(child, own)


@pytest.mark.parametrize("room", sorted(path.name for path in PACKAGE.iterdir() if path.is_dir()))
def test_every_public_function_and_class_of_a_room_has_a_docstring(room: str) -> None:
    for path in sorted((PACKAGE / room).rglob("*.py")):
        found = _public(ast.parse(path.read_text(encoding="utf-8")))
        assert not [f"{path.name}: {one.name}" for one in found if not ast.get_docstring(one)]


RESULTS = [
    AgreementReport,
    AnnotationSet,
    Comparison,
    Evaluation,
    Explanation,
    Plan,
    Predictions,
    Profile,
    Prompts,
    Scorer,
]


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.__name__)
def test_a_method_of_a_result_says_what_its_arguments_are(result: type) -> None:
    for name, method in vars(result).items():
        if name.startswith("_") or not inspect.isfunction(method):
            continue
        asked = set(inspect.signature(method).parameters) - {"self"}
        told = re.findall(r"^    (\w+): \S", inspect.getdoc(method) or "", flags=re.MULTILINE)
        assert asked <= set(told), name


def test_the_page_on_the_interface_has_every_public_name() -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    told = set(re.findall(r"::: classifier\.(?:\w+\.)*(\w+)", page))
    told |= set(re.findall(r"`classifier\.(\w+)\(", page))
    assert set(classifier.__all__) <= told
