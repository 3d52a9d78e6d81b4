"""A trained model beside labels from elsewhere, and requests on the passages it reads."""

from pathlib import Path

import pandas as pd
import pytest

from classifier.annotations import AnnotationSet
from classifier.errors import DataError
from classifier.pipeline import compare, prompt
from classifier.prompts import PromptOptions
from classifier.score import load
from classifier.training import TEST, read_run_summary


def test_a_run_is_compared_on_articles_it_was_not_trained_on(
    linear_run: Path, toy_set: AnnotationSet
) -> None:
    labels = toy_set.table.drop_duplicates("unit")[["unit", "stance"]]
    made = compare(toy_set, {"theirs": labels}, run=linear_run)
    held_out = set(read_run_summary(linear_run).split[TEST])
    assert set(made.order["stance"]) == {"theirs", linear_run.name}
    assert made.predictors.rows[0].counts["n_articles"] <= len(held_out)


def test_labels_may_not_be_named_like_the_run(linear_run: Path, toy_set: AnnotationSet) -> None:
    labels = toy_set.table.drop_duplicates("unit")[["unit", "stance"]]
    with pytest.raises(DataError, match="labels named other than the run 'linear' were required"):
        compare(toy_set, {"linear": labels}, run=linear_run)


def test_tables_in_memory_need_names(toy_set: AnnotationSet) -> None:
    frame = pd.DataFrame({"unit": [], "stance": []})
    with pytest.raises(DataError, match="labels in memory need names"):
        compare(toy_set, [frame, frame])


def test_requests_have_the_passages_that_a_run_reads(
    linear_run: Path, toy_set: AnnotationSet
) -> None:
    articles = toy_set.articles[:3]
    made = prompt(articles, run=linear_run, options=PromptOptions(batch="text"))
    scorer = load(linear_run)
    found = [scorer.find(article) for article in articles]
    read = [p.text for p in scorer.preparation.passages(found) for _ in p.mentions]
    shown = [str(request["prompt"]).split("Passage:\n")[1] for request in made.requests]
    assert [text.replace("[[", "").replace("]]", "") for text in shown] == read
