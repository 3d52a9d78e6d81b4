import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest

from classifier import evaluation, profiles
from classifier.annotations import (
    Annotation,
    AnnotationSet,
    annotation_table,
    read_annotations,
    restricted,
    write_annotations,
)
from classifier.annotations.formats import IMPORT_FORMATS, export
from classifier.codebook import Codebook, default_codebook, write_codebook
from classifier.records import Article, Mention, Span


class Terminal:
    """Runs commands in this process and keeps what they print."""

    def __init__(self, run: Callable[..., tuple[int, str, str]]) -> None:
        self.run = run

    def json(self, *words: str | Path) -> Any:  # noqa: ANN401
        """The one object that a command prints with --json."""
        code, out, err = self.run(*words, "--json")
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def terminal(run_command: Callable[..., tuple[int, str, str]]) -> Terminal:
    return Terminal(run_command)


@pytest.fixture
def folder(toy_set: AnnotationSet, tmp_path: Path) -> Path:
    """An annotation set on disk."""
    path = tmp_path / "set"
    write_annotations(toy_set, path)
    return path


def test_help_lists_every_command(terminal: Terminal) -> None:
    _, out, _ = terminal.run("--help")
    commands = "import export check agreement mentions sample plan train evaluate score"
    for command in [*commands.split(), "profile", "regress", "report", "demo"]:
        assert command in out


def test_a_package_that_is_left_out_is_named(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifier.cli.app", _without_altair)
    code, _, err = terminal.run("report")
    assert code == 1
    assert err == (
        "error: this needs the package altair, which this installation leaves out: "
        "pip install stance-framing-classifier\n"
    )


def _without_altair() -> None:
    raise ModuleNotFoundError("No module named 'altair'", name="altair")


def test_importing_the_package_brings_in_no_torch() -> None:
    code = "import sys, classifier.cli; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_bad_usage_exits_with_2(terminal: Terminal) -> None:
    assert terminal.run("train")[0] == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("check", "nowhere"), "needs articles.jsonl, none was found"),
        (("agreement", "nowhere"), "needs articles.jsonl, none was found"),
        (("mentions", "nowhere"), "a file or folder with articles was required"),
        (("profile", "nowhere.parquet"), "predictions were required there"),
        (("score", "nowhere", ".", "--out", "p.parquet"), "must be a run folder or a Hub id"),
        (("train", "nowhere", "--out", "run"), "needs articles.jsonl, none was found"),
        (("import", "pages", "nowhere", "--out", "o"), "got 'pages'"),
        (("evaluate", "nowhere", "nowhere"), "needs articles.jsonl, none was found"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_1(
    terminal: Terminal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = terminal.run(*words)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err


def test_check_says_that_a_set_is_in_order(terminal: Terminal, folder: Path) -> None:
    code, out, _ = terminal.run("check", folder)
    assert code == 0
    assert "is in order" in out
    assert f"next: classifier agreement {folder}" in out


def test_check_lists_problems_and_exits_with_1(terminal: Terminal, folder: Path) -> None:
    path = folder / "annotations.jsonl"
    path.write_text(path.read_text().replace('"start": 0', '"start": 1'), encoding="utf-8")
    code, out, _ = terminal.run("check", folder, "--json")
    assert code == 1
    assert all("annotations.jsonl:" in p["where"] for p in json.loads(out)["problems"])


def test_check_fix_mends_what_it_can(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    path = folder / "annotations.jsonl"
    first, rest = path.read_text(encoding="utf-8").split("\n", 1)
    path.write_text(f"{first}\n{first}\n{rest}", encoding="utf-8")
    fixed = terminal.json("check", folder, "--fix", tmp_path / "fixed")
    assert len(fixed["mended"]) + len(fixed["left_out"]) == 1
    assert terminal.run("check", tmp_path / "fixed")[0] == 0


def test_mentions_prints_totals_first_and_pages_the_rest(
    terminal: Terminal, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("Rusland zwijgt. " * 45, encoding="utf-8")
    _, out, _ = terminal.run("mentions", tmp_path)
    assert out.startswith("45 mentions in 1 articles")
    assert out.index("voice") < out.index("surface")
    assert "mentions 1 to 40 of 45, page 1 of 2; --page N shows another, --json all" in out
    _, out, _ = terminal.run("mentions", tmp_path, "--page", "2")
    assert "mentions 41 to 45 of 45, page 2 of 2" in out


def test_sample_says_what_it_wrote_and_where_the_others_went(
    terminal: Terminal, tmp_path: Path
) -> None:
    texts = ["Rusland zwijgt.", "Turkije wacht.", "De haven is leeg."]
    for i, text in enumerate(texts):
        (tmp_path / f"{i}.txt").write_text(text, encoding="utf-8")
    project, out_folder = tmp_path / "out" / "project.json", tmp_path / "out" / "set"
    _, out, _ = terminal.run(
        *("sample", tmp_path, "--n", "1", "--out", out_folder, "--label-studio", project)
    )
    assert "1 of 2 articles are in" in out
    assert "1 of 3 articles that were read name no target" in out
    assert "project.config.xml" in out


def test_mentions_says_what_was_found_and_what_was_not(terminal: Terminal, tmp_path: Path) -> None:
    text = "Rusland zwijgt, zegt de Ruslandkenner. Moskou ook."
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    answer = terminal.json("mentions", tmp_path)
    assert [m["mention"]["surface"] for m in answer["mentions"]] == ["Rusland", "Moskou"]
    assert answer["excluded"][0]["exclusion"]["rule"]
    assert answer["mentions"][0]["voice"] == {
        "rule": "verb behind what it reports",
        "cue": "zegt",
        "speaker": "de Ruslandkenner",
        "confidence": 0.8,
        "by": "rules",
        "speaker_by": "rules",
    }
    assert answer["unread"] == []


def test_mentions_tells_which_articles_are_in_no_known_language(
    terminal: Terminal, tmp_path: Path
) -> None:
    text = "Die Regierung in Moskau wies alle Vorwürfe zurück und sprach von einer Kampagne. " * 3
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    answer = terminal.json("mentions", tmp_path, "--out", tmp_path / "page.html")
    assert answer["unread"] == ["a"]
    assert "Moskau" in (tmp_path / "page.html").read_text("utf-8")


def test_import_and_export_come_back(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    terminal.json("export", "csv", folder, "--out", tmp_path / "csv")
    answer = terminal.json("import", "csv", tmp_path / "csv", "--out", tmp_path / "back")
    assert answer["annotations"] == 120
    back, there = (path / "annotations.jsonl" for path in (tmp_path / "back", folder))
    assert sorted(back.read_text().split("\n")) == sorted(there.read_text().split("\n"))


def test_sample_writes_a_label_studio_project(
    terminal: Terminal, folder: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project.json"
    words = ("sample", folder / "articles.jsonl", "--n", "5", "--by", "source,target")
    answer = terminal.json(*words, "--out", tmp_path / "drawn", "--label-studio", project)
    assert len(answer["drawn"]) == 5
    assert len(json.loads(project.read_text(encoding="utf-8"))) == 5


def test_no_sample_is_drawn_over_what_somebody_coded(terminal: Terminal, folder: Path) -> None:
    words = ("sample", folder / "articles.jsonl", "--n", "5", "--out", folder)
    code, _, error = terminal.run(*words)
    assert code == 1
    assert "it holds 40 articles and 120 annotations of 20" in error


def test_import_says_what_share_of_the_suggestions_was_left_unchanged(
    terminal: Terminal, toy_set: AnnotationSet, toy_scores: pd.DataFrame, tmp_path: Path
) -> None:
    one = restricted(toy_set, {toy_set.articles[0].article_id})
    project = tmp_path / "project.json"
    export("label-studio", replace(one, table=one.table.head(0)), project, toy_scores)
    (task,) = json.loads(project.read_text(encoding="utf-8"))
    task["annotations"] = [
        {"id": 1, "completed_by": {"email": "ines"}, "result": task["predictions"][0]["result"]}
    ]
    project.write_text(json.dumps([task]), encoding="utf-8")
    _, out, _ = terminal.run("import", "label-studio", project, "--out", tmp_path / "coded")
    assert "suggested labels unchanged (100%): annotators who see the same suggestions" in out


def test_import_keeps_the_codebook_that_is_in_the_folder(
    terminal: Terminal, folder: Path, tmp_path: Path
) -> None:
    terminal.json("export", "csv", folder, "--out", tmp_path / "csv")
    (tmp_path / "csv" / "codebook.toml").unlink(missing_ok=True)
    out = tmp_path / "back"
    out.mkdir()
    write_codebook(replace(default_codebook(), version="1.1"), out / "codebook.toml")
    terminal.json("import", "csv", tmp_path / "csv", "--out", out)
    assert read_annotations(out).codebook.version == "1.1"


def test_import_keeps_what_the_draw_says_of_the_articles(
    terminal: Terminal, folder: Path, tmp_path: Path
) -> None:
    drawn, labels = tmp_path / "drawn", tmp_path / "labels"
    terminal.json("sample", folder / "articles.jsonl", "--n", "20", "--out", drawn)
    terminal.json("export", "csv", folder, "--out", labels)
    table = pd.read_csv(labels / "articles.csv")
    table[["article_id", "text"]].to_csv(labels / "articles.csv", index=False)
    before = {a.article_id: a.sampling_probability for a in read_annotations(drawn).articles}
    terminal.json("import", "csv", labels, "--out", drawn)
    articles = read_annotations(drawn).articles
    chosen = [a for a in articles if a.sampling_probability]
    assert {a.article_id: a.sampling_probability for a in chosen} == before
    assert {article.language for article in chosen} == {"en", "nl"}


def test_the_help_of_import_names_every_format(terminal: Terminal) -> None:
    said = " ".join(terminal.run("import", "--help")[1].replace("│", " ").split())
    assert all(name in said for name in IMPORT_FORMATS)


@pytest.mark.parametrize("is_drawn", [False, True])
def test_a_plan_that_no_group_can_bear_shows_coarser_ones(
    terminal: Terminal,
    toy_set: AnnotationSet,
    toy_scores: pd.DataFrame,
    tmp_path: Path,
    *,
    is_drawn: bool,
) -> None:
    write_annotations(toy_set, tmp_path / "all")
    corpus, coded = tmp_path / "all" / "articles.jsonl", tmp_path / "coded"
    drawn = terminal.json("sample", corpus, "--n", "6", "--by", "language", "--out", coded)
    is_chosen = toy_set.table["article_id"].isin({one["article_id"] for one in drawn["drawn"]})
    write_annotations(replace(read_annotations(coded), table=toy_set.table[is_chosen]), coded)
    toy_scores.to_parquet(tmp_path / "p.parquet")
    words = ["plan", tmp_path / "p.parquet", "--gold", coded]
    if is_drawn:
        words += ["--articles", corpus, "--out", tmp_path / "more"]
    _, out, _ = terminal.run(*words)
    assert "No group has enough coded articles to plan from. Coarser groups:" in out


def test_train_score_evaluate_profile_report(
    terminal: Terminal, folder: Path, tmp_path: Path
) -> None:
    run, rows, page = tmp_path / "run", tmp_path / "p.parquet", tmp_path / "report.html"
    terminal.json("train", folder, "--out", run, "--model", "linear")
    scored = terminal.json("score", run, folder / "articles.jsonl", "--out", rows)
    assert scored["status"] == {"ok": 120}
    judged = terminal.json("evaluate", run, folder)
    jsonschema.validate(judged, evaluation.schema())
    profile = terminal.json("profile", rows, "--by", "target")
    assert [row["group"]["target"] for row in profile["rows"]][::2] == ["TR", "RU", "UA"]
    corrected = terminal.json("profile", rows, "--gold", folder, "--by", "source,target,language")
    for record in (profile, corrected):
        jsonschema.validate(record, profiles.schema())
    # The split leaves 60 % of the 40 articles for training and 10 % each for choosing and
    # calibrating; three mentions an article.
    assert corrected["left_out"]["article the model was trained on"] == 96
    plan = terminal.json("plan", rows, "--gold", folder, "--by", "target")
    assert len(plan["groups"]) == 3
    terminal.json("report", run, folder, "--predictions", rows, "--out", page)
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_several_sets_are_trained_on_with_weights(
    terminal: Terminal, folder: Path, toy_set: AnnotationSet, tmp_path: Path
) -> None:
    articles = tuple(replace(a, article_id=f"o{a.article_id}") for a in toy_set.articles)
    table = toy_set.table.assign(
        article_id="o" + toy_set.table["article_id"], unit="o" + toy_set.table["unit"]
    )
    write_annotations(AnnotationSet(articles, table, toy_set.codebook), tmp_path / "other")
    words = ("train", folder, tmp_path / "other", "--out", tmp_path / "run", "--model", "linear")
    record = terminal.json(*words, "--weight", "1", "--weight", "0.5")["record"]
    told = [(corpus["name"], corpus["weight"]) for corpus in record["corpora"]]
    assert told == [("set", 1.0), ("other", 0.5)]
    code, _, err = terminal.run(*words, "--weight", "1")
    assert code == 2
    assert "--weight is given once per DIR" in err


def test_without_a_run_the_scorer_that_ships_is_used(
    terminal: Terminal,
    corpus: Path,
    linear_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = tmp_path / "p.parquet"
    monkeypatch.setattr(import_module("classifier.score._scorer"), "SHIPPED", linear_run)
    assert terminal.json("score", corpus, "--out", rows)["mentions"] == 120
    code, _, err = terminal.run("score", "a", "b", "c", "--out", rows)
    assert code == 2
    assert "at most two" in err


def test_a_profile_without_labels_says_that_it_is_not_corrected(
    terminal: Terminal, toy_scores: pd.DataFrame, tmp_path: Path
) -> None:
    toy_scores.to_parquet(tmp_path / "p.parquet")
    _, out, _ = terminal.run("profile", tmp_path / "p.parquet")
    assert "not corrected for model error" in out


def test_agreement_with_annotators_fits_a_terminal(
    terminal: Terminal, toy_set: AnnotationSet, linear_run: Path, tmp_path: Path
) -> None:
    second = toy_set.table.assign(annotator="second")
    table = pd.concat([toy_set.table, second], ignore_index=True)
    write_annotations(replace(toy_set, table=table), tmp_path / "set")
    _, out, _ = terminal.run("evaluate", linear_run, tmp_path / "set")
    heading = next(line for line in out.splitlines() if "alpha predictor" in line)
    assert "alpha annotators" in heading
    assert "alpha difference" in heading
    assert len(heading) <= 160
    assert "kappa" not in out


def test_a_figure_that_nobody_has_is_a_line_and_no_column(
    terminal: Terminal, folder: Path, linear_run: Path
) -> None:
    _, out, _ = terminal.run("evaluate", linear_run, folder)
    assert "\nalpha annotators: not estimable: one annotator\n" in out


def test_a_profile_shows_differences_and_ranks(terminal: Terminal, tmp_path: Path) -> None:
    # Two papers, twenty articles with one mention each, the first eight of ten coded.
    rows, coded = [], []
    for name in ("first", "second"):
        for j in range(20):
            article_id, score = f"{name}{j}", 0.1 * (j % 2)
            names = {"unit": f"{article_id}:0-6:TR", "article_id": article_id, "source": name}
            found = {"target": "TR", "zone": "body", "voice": "author", "status": "ok"}
            rows.append({**names, **found, "stance_score": score})
            if j % 10 < 8:
                label = "favourable" if (j % 8 > 0) == (name == "second") else "unfavourable"
                span, labels = Span(0, 6), {"stance": label}
                coded.append(Annotation(article_id, span, "TR", "Turkey", "ann", labels))
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    articles = tuple(Article(str(row["article_id"]), "Turkey", language="en") for row in rows)
    book = default_codebook()
    write_annotations(AnnotationSet(articles, annotation_table(coded, book), book), tmp_path / "g")
    _, out, _ = terminal.run("profile", tmp_path / "p.jsonl", "--gold", tmp_path / "g")
    assert "first minus second" in out
    assert "not predicted, so not estimated: roles" in out
    assert "ranks, highest first" in out


def test_agreement_says_why_there_is_no_figure_or_no_interval(
    terminal: Terminal, toy_set: AnnotationSet, tmp_path: Path
) -> None:
    own = toy_set.table[toy_set.table["article_id"] == "t0"]
    table = pd.concat([own, own.assign(annotator="second")], ignore_index=True)
    write_annotations(replace(toy_set, table=table), tmp_path / "one")
    _, out, _ = terminal.run("agreement", tmp_path / "one")
    assert "no interval: too few: 1 article" in out
    assert "undefined: no variation" in out
    assert "nan" not in out
    write_annotations(replace(toy_set, table=own.head(0)), tmp_path / "none")
    write_annotations(replace(toy_set, table=own), tmp_path / "alone")
    alone = terminal.json("agreement", tmp_path / "alone")
    assert [len(one["parts"]) for one in alone["variables"]] == [1] * len(alone["variables"])
    _, out, _ = terminal.run("agreement", tmp_path / "none")
    assert "annotators: none" in out
    assert "not estimable: no labels" in out


def test_unknown_labels_are_set_aside_on_request(
    terminal: Terminal,
    folder: Path,
    linear_run: Path,
    toy_scores: pd.DataFrame,
    tmp_path: Path,
) -> None:
    path = tmp_path / "p.jsonl"
    labels = toy_scores["stance"].mask(toy_scores["article_id"] == "t3", "good")
    toy_scores.assign(stance=labels).to_json(path, orient="records", lines=True)
    words = ("evaluate", linear_run, folder, "--predictions", path, "--split", "train")
    code, _, err = terminal.run(*words)
    assert (code, "got 'good'. Mend them, or set them aside" in err) == (1, True)
    judged = terminal.json(*words, "--set-aside")
    counts = judged["tables"]["accuracy"][0]["counts"]
    assert counts["n_unknown_label"] == 3 * ("t3" in _part(linear_run, "train"))


def _part(run: Path, part: str) -> list[str]:
    return list(json.loads((run / "split.json").read_text(encoding="utf-8"))[part])


def test_train_and_score_in_folds_and_plan_further(
    terminal: Terminal, toy_set: AnnotationSet, tmp_path: Path
) -> None:
    write_annotations(toy_set, tmp_path / "all")
    corpus, coded, run = tmp_path / "all" / "articles.jsonl", tmp_path / "coded", tmp_path / "run"
    drawn = terminal.json("sample", corpus, "--n", "24", "--by", "language", "--out", coded)
    chosen = {one["article_id"] for one in drawn["drawn"]}
    book = read_annotations(coded)
    table = toy_set.table[toy_set.table["article_id"].isin(chosen)]
    write_annotations(replace(book, table=table), coded)
    terminal.json("train", coded, "--out", run, "--model", "linear", "--folds", "3")
    rows = tmp_path / "p.parquet"
    terminal.json("score", run, corpus, "--folds", "--out", rows)
    profile = terminal.json("profile", rows, "--gold", coded, "--by", "target")
    jsonschema.validate(profile, profiles.schema())
    assert profile["left_out"] == {}
    assert all(row["n_coded_articles"] == 24 for row in profile["rows"] if row["voice"] == "all")
    words = ("plan", rows, "--gold", coded, "--by", "source", "--population", "corpus")
    more = ("--half-width", "0.2", "--articles", corpus, "--out", tmp_path / "more")
    made = terminal.json(*words, *more)
    assert made["drawn"]
    longer = read_annotations(tmp_path / "more")
    assert len(longer.articles) == 24 + len(made["drawn"])
    assert (tmp_path / "more" / "sampling.csv").is_file()
    code, _, err = terminal.run(*words, "--out", tmp_path / "more")
    assert code == 2
    assert "--articles and --out go together" in err


def test_labels_that_the_codebook_lacks_are_no_import(terminal: Terminal, tmp_path: Path) -> None:
    lines = ("article_id,text,start,end,target,annotator,stance", "a,Turkey won.,0,6,TR,anna,9")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, said, _ = terminal.run(
        "import", "csv", tmp_path / "labels.csv", "--out", tmp_path / "out"
    )
    assert code == 1
    assert "none of 1 articles has one that is in the codebook" in " ".join(said.split())
    assert not (tmp_path / "out").exists()


class _Labeller:
    """Calls every mention attributed, in the place of the labeller that ships."""

    def settler(self, _: Codebook) -> Callable[[Article, Sequence[Mention]], list[Mention]]:
        return lambda _, mentions: [
            replace(one, voice="attributed", voice_by="model") for one in mentions
        ]


def test_the_labeller_is_asked_for_voices_only_if_told(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifier.models.read_voice_model", _Labeller)
    (tmp_path / "a.txt").write_text("Moscow closed the border.", encoding="utf-8")
    by_rules = terminal.json("mentions", tmp_path)["mentions"][0]
    by_model = terminal.json("mentions", tmp_path, "--voice", "model")["mentions"][0]
    assert [by_rules["mention"][name] for name in ("voice", "voice_by")] == ["author", "rules"]
    assert [by_model["mention"][name] for name in ("voice", "voice_by")] == ["attributed", "model"]
