"""Nothing that took work is replaced unless the user says so."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from classifier.annotations import AnnotationSet, write_annotations
from classifier.errors import ReplaceError
from classifier.files import refuse_to_replace

Run = Callable[[Sequence[object]], tuple[int, str]]


@pytest.fixture
def run(run_command: Callable[..., tuple[int, str, str]]) -> Run:
    """Run a command; returns its exit code and what it said about errors."""

    def run(words: Sequence[object]) -> tuple[int, str]:
        code, _, err = run_command(*words)
        return code, err

    return run


@pytest.fixture
def place(toy_set: AnnotationSet, corpus: Path, linear_run: Path, tmp_path: Path) -> Path:
    """A folder with an annotation set, an export of it, articles and a link to a run."""
    write_annotations(toy_set, tmp_path / "set")
    (tmp_path / "articles.jsonl").symlink_to(corpus)
    (tmp_path / "run").symlink_to(linear_run)
    return tmp_path


COMMANDS = {
    "train": ("train {}/set --out {}/out --model linear", "training.json", "a finished run of 20"),
    "score": ("score {}/run {}/articles.jsonl --out {}/out.jsonl", "", "2 predictions of 20"),
    "sample": ("sample {}/articles.jsonl --n 3 --out {}/out", "articles.jsonl", "2 articles and 0"),
    "import": ("import csv {}/csv --out {}/out", "annotations.jsonl", "those of 2 articles would"),
    "export": ("export csv {}/set --out {}/out", "notes.txt", "1 file of 20"),
    "fix": ("check {}/set --fix {}/out", "notes.txt", "1 file of 20"),
    "mentions": ("mentions {}/articles.jsonl --out {}/out.html", "", "a finished file of 20"),
    "report": ("report {}/run {}/set --out {}/out.html", "", "a finished file of 20"),
    "bundle": (
        "report {}/run {}/set --out {}/page.html --bundle {}/out.zip",
        "",
        "a finished file of 20",
    ),
    "demo": ("demo --out {}/out", "report.html", "a finished file of 20"),
    "plan": (
        "plan {}/p.parquet --gold {}/set --articles {}/articles.jsonl --out {}/out",
        "sample.csv",
        "1 file of 20",
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_does_not_replace_what_took_work(place: Path, run: Run, name: str) -> None:
    words, inside, what = COMMANDS[name]
    if name == "import":
        assert run(["export", "csv", place / "set", "--out", place / "csv"])[0] == 0
    words = words.format(*[place] * words.count("{}"))
    out = Path(next(word for word in words.split() if Path(word).stem == "out"))
    kept = out / inside if inside else out
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text('{"article_id": "a"}\n{"article_id": "b"}\n', encoding="utf-8")
    before = kept.read_bytes()
    code, error = run(words.split())
    assert code == 1
    assert what in error
    assert "--force" in error
    assert kept.read_bytes() == before


@pytest.mark.parametrize("name", ["train", "score", "sample", "import", "export", "fix"])
def test_force_replaces_what_is_there(place: Path, run: Run, name: str) -> None:
    assert run(["export", "csv", place / "set", "--out", place / "csv"])[0] == 0
    words = COMMANDS[name][0].format(*[place] * 4).split()
    assert run(words)[0] == 0
    assert run(words)[0] == 1
    assert run([*words, "--force"])[0] == 0


def test_labels_are_imported_into_an_uncoded_draw(place: Path, run: Run) -> None:
    assert run(["export", "csv", place / "set", "--out", place / "csv"])[0] == 0
    draw = ["sample", place / "articles.jsonl", "--n", "3", "--out", place / "drawn"]
    assert run(draw)[0] == 0
    assert run(["import", "csv", place / "csv", "--out", place / "drawn"])[0] == 0


def test_an_empty_file_and_an_empty_folder_are_free(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    refuse_to_replace(tmp_path / "empty", force=False)
    (tmp_path / "folder" / "within").mkdir(parents=True)
    refuse_to_replace(tmp_path / "folder", force=False)


def test_a_table_that_cannot_be_read_is_not_replaced_either(tmp_path: Path) -> None:
    (tmp_path / "p.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(ReplaceError, match=r"p.parquet must be free .* holds a file of 20"):
        refuse_to_replace(tmp_path / "p.parquet", force=False)


TAKEN = {
    "train": "train nowhere --out out",
    "score": "score nowhere --out out.parquet",
    "score of a run": "score no-run nowhere --out out.parquet",
    "sample": "sample nowhere --n 3 --out out",
    "sample's project": "sample nowhere --n 3 --out drawn --label-studio out.json",
    "export": "export csv nowhere --out out",
    "fix": "check nowhere --fix out",
    "plan": "plan nowhere --gold nowhere --articles nowhere --out out",
    "report": "report nowhere nowhere --out out.html",
    "bundle": "report nowhere nowhere --out page.html --bundle out.zip",
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_taken_place_is_refused_before_anything_is_read(
    tmp_path: Path, run: Run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that the command needs is there, and still the place is what it complains about."""
    monkeypatch.chdir(tmp_path)
    words = TAKEN[name].split()
    out = next(Path(word) for word in words if Path(word).stem == "out")
    if out.suffix:
        out.write_text("work")
    else:
        out.mkdir()
        (out / "notes.txt").write_text("work")
    code, error = run(words)
    assert code == 1
    assert f"{out} must be free to write to" in error


@pytest.mark.parametrize(
    "words",
    [
        "evaluate nowhere nowhere --table out.pdf",
        "compare nowhere --predictions nowhere.csv --chart out.pdf",
        "report nowhere nowhere --out out.pdf",
        "score nowhere --out out.csv",
        "prompt nowhere --out out.csv",
    ],
)
def test_a_wrong_ending_is_refused_before_anything_is_read(run: Run, words: str) -> None:
    code, error = run(words.split())
    assert code == 2
    assert "was required, got ." in " ".join(error.replace("│", " ").split())


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("agreement nowhere --table", "labels.xlsx"),
        ("evaluate nowhere nowhere --table", "paper.tex"),
        ("compare nowhere --predictions nowhere.csv --chart", "drawn.svg"),
        ("profile nowhere --table", "paper.md"),
    ],
)
def test_a_table_or_chart_replaces_no_file(run: Run, tmp_path: Path, words: str, name: str) -> None:
    path = tmp_path / name
    path.write_text("work", encoding="utf-8")
    code, error = run([*words.split(), str(path)])
    assert code == 2
    assert "the name of a new file was required" in " ".join(error.replace("│", " ").split())
    assert path.read_text(encoding="utf-8") == "work"
