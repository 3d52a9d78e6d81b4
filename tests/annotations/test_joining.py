"""Sets of several codebooks as one: what is translated, what has no word, what must not clash."""

from dataclasses import replace

import pytest

from classifier.annotations import (
    Annotation,
    AnnotationSet,
    Value,
    annotation_table,
    join_sets,
    recode,
)
from classifier.codebook import Codebook, Label, Variable, default_codebook
from classifier.errors import DataError
from classifier.records import Article, Span

OURS = Codebook(
    "ours",
    "1",
    (),
    (
        Variable(
            "tone",
            "nominal",
            "",
            (Label("cold", "", None, {"x": ("1", "hostile")}), Label("warm", "", None)),
        ),
        Variable("parts", "set", "", (Label("giver", ""), Label("taker", "", None, {"x": ("T",)}))),
    ),
)
THEIRS = Codebook(
    "theirs",
    "1",
    (),
    (
        Variable(
            "tone",
            "nominal",
            "",
            (
                Label("warm", ""),
                Label("icy", "", None, {"x": ("1",)}),
                Label("hostile", ""),
                Label("odd", ""),
            ),
        ),
        Variable("parts", "set", "", (Label("giver", ""), Label("T", ""), Label("judge", ""))),
    ),
)


def one_each(
    codebook: Codebook, name: str, values: list[Value], prefix: str = "a"
) -> AnnotationSet:
    articles = tuple(Article(f"{prefix}{i}", "Delta speaks.") for i in range(len(values)))
    rows = [
        Annotation(article.article_id, Span(0, 5), "D", "Delta", "noor", {name: value})
        for article, value in zip(articles, values, strict=True)
    ]
    return AnnotationSet(articles, annotation_table(rows, codebook), codebook)


def test_labels_are_translated_by_name_and_by_counterpart() -> None:
    recoded = recode(one_each(THEIRS, "tone", ["warm", "icy", "hostile", None]), OURS)
    # warm by its name; icy shares the code 1 with cold; cold names hostile as its counterpart
    assert list(recoded.annotation_set.table["tone"]) == ["warm", "cold", "cold", None]
    assert recoded.annotation_set.codebook == OURS
    assert recoded.problems == ()


def test_a_label_without_a_word_of_ours_is_not_coded_and_is_counted() -> None:
    recoded = recode(one_each(THEIRS, "tone", ["odd", "odd", "warm"]), OURS)
    assert list(recoded.annotation_set.table["tone"]) == [None, None, "warm"]
    assert [(p.where, p.detail) for p in recoded.problems] == [("tone", "'odd', 2 times")]


def test_a_set_is_translated_label_by_label() -> None:
    values: list[Value] = [frozenset({"giver", "T"}), frozenset(), frozenset({"judge"})]
    column = recode(one_each(THEIRS, "parts", values), OURS).annotation_set.table["parts"]
    assert list(column) == [frozenset({"giver", "taker"}), frozenset(), None]


def test_what_a_set_does_not_ask_is_not_coded() -> None:
    narrow = replace(THEIRS, variables=THEIRS.variables[:1])
    table = recode(one_each(narrow, "tone", ["warm"]), OURS).annotation_set.table
    assert list(table["parts"]) == [None]


def test_the_shipped_codebook_reads_the_codes_of_another_scheme() -> None:
    roles = default_codebook().variable("roles")
    foreign = replace(roles, labels=(Label("Peacemaker", ""),))
    theirs = Codebook("foreign", "1", (), (foreign,))
    recoded = recode(one_each(theirs, "roles", [frozenset({"Peacemaker"})]), default_codebook())
    assert list(recoded.annotation_set.table["roles"]) == [frozenset({"mediator"})]


def test_joined_sets_keep_every_article_and_row() -> None:
    sets = [one_each(OURS, "tone", ["warm", "cold"], p) for p in "ab"]
    joined = join_sets(sets)
    assert [a.article_id for a in joined.articles] == ["a0", "a1", "b0", "b1"]
    assert list(joined.table["tone"]) == ["warm", "cold"] * 2


def test_articles_of_one_id_are_refused() -> None:
    with pytest.raises(DataError, match="1 stand in several, such as 'a0'"):
        join_sets([one_each(OURS, "tone", ["warm"]), one_each(OURS, "tone", ["cold"])])


def test_sets_of_several_codebooks_are_refused() -> None:
    with pytest.raises(DataError, match="recode them first"):
        join_sets([one_each(OURS, "tone", ["warm"]), one_each(THEIRS, "tone", ["warm"], "b")])
