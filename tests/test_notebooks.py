"""The notebooks run from top to bottom and are committed with outputs that anyone may see."""

import ast
import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
_LONGEST_FUNCTION = 3


def test_there_are_five_notebooks() -> None:
    names = ["01_annotate", "02_train", "03_evaluate", "04_score_sources", "05_llm_labels"]
    assert [path.stem for path in NOTEBOOKS] == names


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process and a namespace of its own: a kernel would import everything once more."""
    monkeypatch.chdir(FOLDER)
    shell = InteractiveShell(user_ns={})
    for cell in _code_cells(path):
        with warnings.catch_warnings(), capture_output():
            warnings.simplefilter("default")
            shell.run_cell(_quick("".join(cell["source"]))).raise_error()


def _quick(source: str) -> str:
    """The cell with less work in it, where a notebook names how much there is."""
    fewer = re.sub(r"^SIZES = .*$", "SIZES = (50,)", source, flags=re.MULTILINE)
    return re.sub(r"\bepochs=\d+", "epochs=1", fewer)


def _code_cells(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_with_its_outputs(path: Path) -> None:
    cells = _code_cells(path)
    assert all(cell["execution_count"] for cell in cells)
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert outputs
    assert not [output for output in outputs if output["output_type"] == "error"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_names_a_place_on_a_machine(path: Path) -> None:
    shown = json.dumps([cell["outputs"] for cell in _code_cells(path)])
    assert not re.search(r"/(tmp|home|root|Users|work)/", shown)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_functions_of_any_length_belong_in_the_package(path: Path) -> None:
    for cell in _code_cells(path):
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            if isinstance(node, ast.FunctionDef):
                assert len(node.body) <= _LONGEST_FUNCTION
