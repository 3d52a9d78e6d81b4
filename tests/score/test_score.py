"""A trained model applied: every mention has a row, whatever becomes of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset

from classifier.annotations import AnnotationSet
from classifier.articles import article_record, read_articles
from classifier.errors import DataError, ModelError
from classifier.predictions import read_predictions
from classifier.profiles import profile_sources
from classifier.records import Article, Mention, Span
from classifier.score import Scorer, load, score_to_file
from classifier.score import _stream as streaming
from classifier.training import read_run_summary

TEXT = "Turkey was praised at the harbour. Nobody spoke. Russia was blamed at the market."


def test_a_text_is_scored(scorer: Scorer) -> None:
    rows = scorer.score(TEXT).to_frame()
    assert list(rows["target"]) == ["TR", "RU"]
    assert list(rows["stance"]) == ["favourable", "unfavourable"]
    assert list(rows["roles"]) == [["partner"], ["aggressor"]]
    assert list(rows["unit"]) == ["text:0-6:TR", "text:49-55:RU"]
    assert set(rows["status"]) == {"ok"}


def test_articles_that_were_trained_on_are_marked(
    scorer: Scorer, toy_set: AnnotationSet, linear_run: Path
) -> None:
    rows = scorer.score_articles(toy_set.articles).to_frame()
    split = read_run_summary(linear_run).split
    assert {part: set(group["article_id"]) for part, group in rows.groupby("part")} == {
        part: set(names) for part, names in split.items() if names
    }
    assert scorer.score(TEXT).to_frame()["part"].tolist() == [None, None]


def test_the_stance_score_is_the_expected_number(scorer: Scorer) -> None:
    row = scorer.score(TEXT).to_frame().iloc[0]
    expected = row["p_stance_favourable"] - row["p_stance_unfavourable"]
    assert row["stance_score"] == pytest.approx(expected)


def test_offsets_are_those_of_the_text(scorer: Scorer) -> None:
    for row in scorer.score(TEXT).to_frame().itertuples():
        assert TEXT[row.start : row.end] == row.surface
        assert row.passage_start <= row.start < row.end <= row.passage_end


def test_a_language_it_cannot_read_is_said_in_the_status(scorer: Scorer) -> None:
    rows = scorer.score("Türkiye ile Rusya anlaştı.", language="tr").to_frame()
    assert len(rows) > 0
    assert set(rows["status"]) == {"unsupported language: tr"}
    assert rows["stance"].isna().all()
    assert rows["p_stance_neutral"].isna().all()


@pytest.mark.parametrize("text", ["", "No country is named here.", "\u200f😀", "x" * 20_000])
def test_a_text_without_mentions_has_no_rows(text: str, scorer: Scorer) -> None:
    found = scorer.score(text, language="en")
    assert len(found) == 0
    assert "p_stance_neutral" in found.to_frame()


def test_articles_come_in_every_shape(scorer: Scorer, corpus: Path, toy_set: AnnotationSet) -> None:
    records = [article_record(article) for article in toy_set.articles]
    expected = scorer.score_articles(toy_set.articles).to_frame()
    shapes = (
        read_articles(corpus),
        corpus,
        str(corpus),
        records,
        pd.DataFrame(records),
        Dataset.from_list(records),
        iter(toy_set.articles),
    )
    for shape in shapes:
        pd.testing.assert_frame_equal(scorer.score_articles(shape).to_frame(), expected)


def test_of_articles_with_one_id_the_first_is_scored(scorer: Scorer) -> None:
    first, second = Article("a", TEXT), Article("a", "Turkey came second.")
    found = scorer.score_articles([first, second])
    assert found.to_frame().equals(scorer.score_articles([first]).to_frame())
    assert [p.reason for p in found.problems if p.where == "articles"] == ["repeated article_id"]


def test_something_else_than_articles_is_refused(scorer: Scorer) -> None:
    with pytest.raises(DataError, match=r"every text must be a string, .* 0 is 3 \(int\)"):
        scorer.score_articles([3])


def test_what_cannot_be_read_is_listed(scorer: Scorer, tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\xfa")
    found = scorer.score_articles(tmp_path)
    assert len(found) == 2
    unread = [problem for problem in found.problems if problem.where != "scores"]
    assert [problem.reason for problem in unread] == ["not UTF-8", "no source known"]
    assert "bad.txt" in unread[0].where


def test_annotated_mentions_are_scored_under_their_own_units(
    scorer: Scorer, toy_set: AnnotationSet
) -> None:
    ids = [article.article_id for article in toy_set.articles[:4]]
    rows = scorer.score_annotations(toy_set, ids).to_frame()
    table = toy_set.table
    assert set(rows["unit"]) == set(table[table["article_id"].isin(ids)]["unit"])
    gold = table.set_index("unit").loc[rows["unit"], "stance"]
    assert list(rows["stance"]) == list(gold)


def test_given_mentions_are_scored_instead_of_found_ones(scorer: Scorer) -> None:
    article = Article("a", "The harbour was praised.", language="en")
    mention = Mention(Span(4, 11), "HB", "harbour", "name", "body", "en", "author")
    rows = scorer.score_mentions([article], {"a": [mention]}).to_frame()
    assert list(rows["unit"]) == ["a:4-11:HB"]
    assert list(rows["stance"]) == ["favourable"]


def test_how_articles_are_grouped_makes_no_difference(
    scorer: Scorer, toy_set: AnnotationSet
) -> None:
    together = scorer.score_articles(toy_set.articles).to_frame()
    alone = pd.concat(
        [scorer.score_articles([article]).to_frame() for article in toy_set.articles],
        ignore_index=True,
    )
    pd.testing.assert_frame_equal(alone, together)


def test_predictions_survive_both_formats(scorer: Scorer, tmp_path: Path) -> None:
    found = scorer.score(TEXT)
    for name in ("p.parquet", "p.jsonl"):
        found.write(tmp_path / name)
        frame = read_predictions(tmp_path / name)
        assert list(frame["roles"]) == [["partner"], ["aggressor"]]
        np.testing.assert_allclose(frame["stance_score"], found.to_frame()["stance_score"])


def test_a_file_without_mentions_is_read(scorer: Scorer, tmp_path: Path) -> None:
    scorer.score("Nobody spoke.").write(tmp_path / "p.jsonl")
    frame = read_predictions(tmp_path / "p.jsonl")
    assert frame.empty
    assert profile_sources(frame, scorer.codebook).rows == ()


def test_predictions_are_written_in_no_third_format(
    scorer: Scorer, corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    with pytest.raises(DataError, match=r"p\.csv: a name in \.parquet or \.jsonl is required"):
        scorer.score(TEXT).write(out)
    with pytest.raises(DataError, match=r"p\.csv: a name in \.parquet or \.jsonl is required"):
        score_to_file(scorer, corpus, out)
    assert not out.exists()


def test_a_notebook_shows_the_rows(scorer: Scorer) -> None:
    assert "Turkey" in scorer.score(TEXT)._repr_html_()
    assert repr(scorer).startswith(f"Scorer {scorer.trained.model_id}: ")


def test_a_table_without_units_is_no_predictions(tmp_path: Path) -> None:
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "p.parquet")
    with pytest.raises(DataError, match="predictions need the columns unit, article_id, status"):
        read_predictions(tmp_path / "p.parquet")


def test_a_scorer_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="but there is no such folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="'acme/scorer' is no folder here"):
        load("acme/scorer")


def test_an_encoder_run_scores_texts(encoder_run: Path) -> None:
    rows = load(encoder_run).score(TEXT).to_frame()
    assert list(rows["status"]) == ["ok", "ok"]
    sums = rows[[c for c in rows if c.startswith("p_stance_")]].sum(axis=1)
    np.testing.assert_allclose(sums, 1.0)


def test_a_corpus_in_a_file_gets_the_rows_of_one_in_memory(
    scorer: Scorer, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BATCH_ARTICLES", 7)
    done = score_to_file(scorer, corpus, tmp_path / "p.parquet")
    frame = read_predictions(tmp_path / "p.parquet")
    pd.testing.assert_frame_equal(frame, scorer.score_articles(corpus).to_frame())
    assert (done.n_articles, done.n_with_mentions) == (40, 40)
    assert done.statuses == {"ok": len(frame)}
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_an_interrupted_run_goes_on_to_the_same_bytes(
    scorer: Scorer, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BATCH_ARTICLES", 7)
    score_to_file(scorer, corpus, tmp_path / "calm.parquet")

    def stop(done: int, *_: object) -> None:
        if done >= 21:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_to_file(scorer, corpus, tmp_path / "p.parquet", progress=stop)
    score_to_file(scorer, corpus, tmp_path / "p.parquet", resume=True)
    assert (tmp_path / "p.parquet").read_bytes() == (tmp_path / "calm.parquet").read_bytes()


def test_resuming_with_another_corpus_is_refused(
    scorer: Scorer, corpus: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "articles.jsonl"
    copy.write_bytes(corpus.read_bytes())

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_to_file(scorer, copy, tmp_path / "p.parquet", progress=stop)
    lines = copy.read_text(encoding="utf-8").splitlines(keepends=True)
    copy.write_text("".join(lines[1:]), encoding="utf-8")
    with pytest.raises(DataError, match="not those of the interrupted run"):
        score_to_file(scorer, copy, tmp_path / "p.parquet", resume=True)


def test_resuming_with_fewer_articles_is_refused(
    scorer: Scorer, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BATCH_ARTICLES", 20)
    copy = tmp_path / "articles.jsonl"
    copy.write_bytes(corpus.read_bytes())

    def stop(done: int, *_: object) -> None:
        if done == 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_to_file(scorer, copy, tmp_path / "p.parquet", progress=stop)
    lines = copy.read_text(encoding="utf-8").splitlines(keepends=True)
    copy.write_text("".join(lines[:20]), encoding="utf-8")
    with pytest.raises(DataError, match=r"not those of the interrupted run \(part 1\)"):
        score_to_file(scorer, copy, tmp_path / "p.parquet", resume=True)


def test_resuming_with_another_model_is_refused(
    scorer: Scorer, corpus: Path, tmp_path: Path
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_to_file(scorer, corpus, tmp_path / "p.parquet", progress=stop)
    other = Scorer(replace(scorer.trained, model_id="other@1"))
    with pytest.raises(ModelError, match=r"model_id (was|differs)"):
        score_to_file(other, corpus, tmp_path / "p.parquet", resume=True)


def test_a_full_disk_is_an_error_and_no_file(
    scorer: Scorer, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("classifier.score._stream.pq.write_table", full)
    with pytest.raises(DataError, match=r"No space left on device.*--resume"):
        score_to_file(scorer, corpus, tmp_path / "p.parquet")
    monkeypatch.undo()
    assert not (tmp_path / "p.parquet").exists()
    score_to_file(scorer, corpus, tmp_path / "p.parquet", resume=True)
    assert (tmp_path / "p.parquet").exists()


def test_a_runtime_that_is_gone_is_refused(linear_run: Path) -> None:
    with pytest.raises(ModelError, match="run by auto, torch, numpy; got 'openvino'"):
        load(linear_run, runtime="openvino")  # type: ignore[arg-type]
