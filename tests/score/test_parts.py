"""A corpus in parts: one article that fails spoils no other."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from classifier.annotations import AnnotationSet
from classifier.articles import article_record
from classifier.errors import ModelError
from classifier.files import write_json_lines
from classifier.models._linear import LinearModel
from classifier.predictions import read_predictions
from classifier.records import Article, Passage, Problem
from classifier.score import Scored, Scorer, score_to_file
from classifier.score import _stream as streaming
from classifier.score._prepare import Found


@pytest.fixture
def corpus(toy_set: AnnotationSet, tmp_path: Path) -> Path:
    path = tmp_path / "articles.jsonl"
    write_json_lines(path, [article_record(article) for article in toy_set.articles])
    return path


def fail_to_judge(monkeypatch: pytest.MonkeyPatch, article_id: str, error: Exception) -> None:
    judge = Scorer.judge

    def judged(
        self: Scorer, found: Sequence[Found], passages: Sequence[Passage] | None = None
    ) -> pa.Table:
        if any(article.article_id == article_id for article, _ in found):
            raise error
        return judge(self, found, passages)

    monkeypatch.setattr(Scorer, "judge", judged)


def failures(done: Scored) -> list[Problem]:
    """What went wrong with articles, without what is said of languages."""
    return [problem for problem in done.problems if problem.reason == "article failed"]


def test_an_article_that_cannot_be_judged_keeps_its_rows(
    scorer: Scorer, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_to_file(scorer, corpus, tmp_path / "calm.parquet")
    fail_to_judge(monkeypatch, "t5", RuntimeError("no such thing\nas this"))
    done = score_to_file(scorer, corpus, tmp_path / "p.parquet")
    calm = read_predictions(tmp_path / "calm.parquet").set_index("unit")
    rows = read_predictions(tmp_path / "p.parquet").set_index("unit")
    failed = rows["article_id"] == "t5"
    assert list(rows.index) == list(calm.index)
    assert set(rows[failed]["status"]) == {"failed: no such thing"}
    assert rows[failed]["stance"].isna().all()
    assert (rows[~failed]["stance"] == calm[~failed]["stance"]).all()
    assert [p.where for p in failures(done)] == ["t5"]
    assert done.n_articles == 40


def test_an_article_whose_mentions_cannot_be_found_is_a_problem(
    scorer: Scorer, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = Scorer.find

    def found(self: Scorer, article: Article) -> Found:
        if article.article_id == "t7":
            raise RecursionError("too deep")
        return find(self, article)

    monkeypatch.setattr(Scorer, "find", found)
    done = score_to_file(scorer, corpus, tmp_path / "p.parquet")
    assert [p.detail for p in failures(done)] == ["too deep"]
    assert "t7" not in set(read_predictions(tmp_path / "p.parquet")["article_id"])
    assert sum(done.statuses.values()) == 39 * 3


def test_a_resumed_run_still_lists_what_failed_before(
    scorer: Scorer, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BATCH_ARTICLES", 10)
    fail_to_judge(monkeypatch, "t5", RuntimeError("bad"))

    def stop(done: int, *_: object) -> None:
        if done >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_to_file(scorer, corpus, tmp_path / "p.parquet", progress=stop)
    done = score_to_file(scorer, corpus, tmp_path / "p.parquet", resume=True)
    assert [p.where for p in failures(done)] == ["t5"]


def test_going_on_with_another_runtime_is_refused(
    scorer: Scorer, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BATCH_ARTICLES", 10)

    def stop(done: int, *_: object) -> None:
        if done >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_to_file(scorer, corpus, tmp_path / "p.parquet", progress=stop)
    with monkeypatch.context() as patch:
        patch.setattr(LinearModel, "runtime", "torch float32 cpu")
        with pytest.raises(ModelError, match=r"with, scikit-learn; this run .* torch float32 cpu"):
            score_to_file(scorer, corpus, tmp_path / "p.parquet", resume=True)
    assert score_to_file(scorer, corpus, tmp_path / "p.parquet", resume=True).n_articles == 40


@pytest.mark.parametrize("error", [MemoryError("full"), OSError("gone")])
def test_what_is_not_for_the_article_stops_the_run(
    error: Exception,
    scorer: Scorer,
    corpus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fail_to_judge(monkeypatch, "t5", error)
    with pytest.raises(type(error), match=str(error)):
        score_to_file(scorer, corpus, tmp_path / "p.parquet")


def test_a_model_that_fails_on_everything_stops_the_run(
    scorer: Scorer, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(*_: object) -> pa.Table:
        raise RuntimeError("broken model")

    monkeypatch.setattr(Scorer, "judge", judge)
    with pytest.raises(RuntimeError, match="broken model"):
        score_to_file(scorer, corpus, tmp_path / "p.parquet")


def test_an_unread_article_without_a_target_is_listed_when_a_file_is_scored(
    scorer: Scorer, tmp_path: Path
) -> None:
    article = Article("d1", "Moskau hat den Vertrag gebrochen.", "De Vliet", language="de")
    write_json_lines(tmp_path / "articles.jsonl", [article_record(article)])
    done = score_to_file(scorer, tmp_path / "articles.jsonl", tmp_path / "p.parquet")
    assert [(p.where, p.reason) for p in done.problems] == [("d1", "language not read")]
