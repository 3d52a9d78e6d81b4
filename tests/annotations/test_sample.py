"""The shipped sample keeps what its datasheet promises."""

import re
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from classifier.annotations import AnnotationSet, read_annotations
from classifier.codebook import shipped_annotations
from classifier.mentions import find_mentions

HELD_OUT_SOURCE = "Meridian Quay"
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


@pytest.fixture(scope="module")
def sample() -> AnnotationSet:
    return read_annotations(shipped_annotations() / "sample")


def test_counts_per_language(sample: AnnotationSet) -> None:
    counts = Counter(article.language for article in sample.articles)
    assert counts == {"nl": 90, "en": 90, "tr": 20, "ru": 20, "uk": 20}


def test_articles_are_as_long_as_short_news(sample: AnnotationSet) -> None:
    lengths = [len(article.text.split()) for article in sample.articles]
    assert min(lengths) >= 80
    assert max(lengths) <= 250


def test_every_mention_was_coded_and_most_were_read_again(sample: AnnotationSet) -> None:
    by_annotator = sample.table.groupby("annotator")["unit"].nunique()
    assert by_annotator["writer"] >= 2400
    assert by_annotator["reader"] >= 0.6 * by_annotator["writer"]


def test_neutral_is_the_most_frequent_stance_in_every_language(sample: AnnotationSet) -> None:
    table = _writer(sample)
    for _, rows in table.groupby("language"):
        assert rows["stance"].value_counts().index[0] == "neutral"


def test_every_target_and_stance_occurs_often_enough_in_dutch_and_english(
    sample: AnnotationSet,
) -> None:
    table = _writer(sample)
    cells = table[table["language"].isin(["nl", "en"])].groupby(["language", "target", "stance"])
    sizes = cells.size()
    assert len(sizes) == 2 * 3 * 3
    assert sizes.min() >= 40


def test_every_source_has_every_label_towards_every_target(sample: AnnotationSet) -> None:
    assert len(_writer(sample).groupby(["source", "target", "stance"])) == 8 * 3 * 3


def test_no_story_is_parted_and_one_source_is_held_out(sample: AnnotationSet) -> None:
    parts = defaultdict(set)
    for article in sample.articles:
        parts[article.story_id].add(article.split)
    assert not [story for story, names in parts.items() if {"train", "test"} <= names]
    held_out = {a.split for a in sample.articles if a.source == HELD_OUT_SOURCE}
    assert held_out == {"source", "test"}


def test_no_phrase_is_repeated_over_articles(sample: AnnotationSet) -> None:
    """No six words in a row in more than three articles, names (capitals) apart."""
    seen = defaultdict(set)
    for article in sample.articles:
        words = WORD.findall(article.text)
        for i in range(len(words) - 5):
            gram = words[i : i + 6]
            if sum(word[0].isupper() for word in gram) < 3:
                seen[" ".join(gram).lower()].add(article.article_id)
    assert not {gram: ids for gram, ids in seen.items() if len(ids) > 3}


def test_ten_pairs_of_wire_copies_are_there(sample: AnnotationSet) -> None:
    """Texts that share much of their five-word shingles, as only copies do."""
    wire = [article for article in sample.articles if article.agency]
    shingles = {a.article_id: _shingles(a.text) for a in wire}
    pairs = [
        (a.article_id, b.article_id)
        for i, a in enumerate(wire)
        for b in wire[i + 1 :]
        if a.source != b.source
        and len(shingles[a.article_id] & shingles[b.article_id])
        >= 0.4 * min(len(shingles[a.article_id]), len(shingles[b.article_id]))
    ]
    assert len(pairs) == 10


@pytest.mark.parametrize("language", ["nl", "en"])
def test_sentence_lengths_and_vocabulary_are_like_news(
    sample: AnnotationSet, language: str
) -> None:
    texts = [a.text for a in sample.articles if a.language == language]
    lengths = [len(WORD.findall(s)) for t in texts for s in re.split(r"[.!?…]+[\s”’\"]", t)]
    lengths = [n for n in lengths if n]
    assert np.percentile(lengths, 90) >= 20
    assert np.std(lengths) / np.mean(lengths) >= 0.45
    # Heaps' law: the vocabulary of n words grows like n^b, b between .5 and .8 in news.
    words = [word.lower() for text in texts for word in WORD.findall(text)]
    half, full = len(set(words[: len(words) // 2])), len(set(words))
    assert 0.5 <= np.log(full / half) / np.log(2) <= 0.85


def test_stance_cannot_be_guessed_from_target_and_source(sample: AnnotationSet) -> None:
    table = _writer(sample)
    features = DictVectorizer().fit_transform(
        [
            {"both": f"{t} {s}", "t": t, "s": s}
            for t, s in zip(table.target, table.source, strict=True)
        ]
    )
    guesses = cross_val_predict(
        LogisticRegression(max_iter=1000, class_weight="balanced"),
        features,
        table["stance"],
        groups=table["article_id"],
        cv=GroupKFold(5),
    )
    macro_f1 = f1_score(table["stance"], guesses, average="macro")
    print(f"macro-F1 of target and source alone: {macro_f1:.3f}")  # noqa: T201
    assert macro_f1 < 0.5


def test_the_mention_finder_finds_what_the_writer_marked(sample: AnnotationSet) -> None:
    marked = set(sample.table["unit"])
    found = {
        f"{article.article_id}:{m.span.start}-{m.span.end}:{m.target}"
        for article in sample.articles
        for m in find_mentions(article, sample.codebook)
    }
    assert len(marked & found) / len(marked) >= 0.99
    assert len(marked & found) / len(found) >= 0.99


def test_offsets_do_not_overlap(sample: AnnotationSet) -> None:
    for _, rows in _writer(sample).sort_values("start").groupby("article_id"):
        spans = list(zip(rows["start"], rows["end"], strict=True))
        assert all(left[1] <= right[0] for left, right in pairwise(spans))


def _writer(sample: AnnotationSet):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """The writer's rows with the article's language and source."""
    table = sample.table[sample.table["annotator"] == "writer"]
    articles = sample.article_by_id
    return table.assign(
        language=[articles[name].language for name in table["article_id"]],
        source=[articles[name].source for name in table["article_id"]],
    )


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = [word.lower() for word in WORD.findall(text)]
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}
