"""Windows around mentions, with hand-made texts and with whatever hypothesis thinks of."""

import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from classifier.models import Limits, cut_passages
from classifier.records import Article, Passage, Span


def words(texts: Sequence[str]) -> list[list[int]]:
    return [[match.start() for match in re.finditer(r"\S+", text)] for text in texts]


def cut(text: str, *surfaces: str, max_tokens: int = 12, context: int = 1) -> list[Passage]:
    units = {s: Span(text.index(s), text.index(s) + len(s)) for s in surfaces}
    limits = Limits(max_tokens, context)
    return cut_passages(Article("a", text, language="en"), units, words, limits)


FIVE = "One is here. Two is there. Three is gone. Four is back. Five is late."


def test_an_article_without_mentions_has_no_passages() -> None:
    assert cut(FIVE) == []


def test_the_sentences_beside_a_mention_are_read_along() -> None:
    (passage,) = cut(FIVE, "Three")
    assert passage.text == "Two is there. Three is gone. Four is back."
    assert passage.start == len("One is here. ")


def test_no_context_leaves_the_sentence_alone() -> None:
    (passage,) = cut(FIVE, "Three", context=0)
    assert passage.text == "Three is gone."


def test_near_mentions_share_a_passage() -> None:
    (passage,) = cut(FIVE, "Two", "Three", max_tokens=12)
    assert passage.text == "One is here. Two is there. Three is gone. Four is back."
    assert [m.unit for m in passage.mentions] == ["Two", "Three"]


def test_mentions_that_do_not_fit_together_get_a_passage_each() -> None:
    # Three words a sentence: One to Four would be twelve, the limit is eleven.
    first, second = cut(FIVE, "Two", "Three", max_tokens=11)
    assert first.text == "One is here. Two is there. Three is gone."
    assert second.text == "Two is there. Three is gone. Four is back."


def test_far_mentions_do_not_share_a_passage() -> None:
    text = "Ann left. " + "Nothing happened. " * 9 + "Bob came."
    first, second = cut(text, "Ann", "Bob", max_tokens=100)
    assert first.text == "Ann left. Nothing happened."
    assert second.text == "Nothing happened. Bob came."


def test_the_sentence_of_a_mention_is_known() -> None:
    (passage,) = cut(FIVE, "Three")
    (mention,) = passage.mentions
    assert mention.span.of(passage.text) == "Three"
    assert mention.sentence.of(passage.text) == "Three is gone. "


def test_a_mention_across_sentences_joins_them() -> None:
    (passage,) = cut(FIVE, "there. Three", context=0)
    assert passage.text == "Two is there. Three is gone."


def test_the_preceding_sentence_is_kept_where_only_one_fits() -> None:
    (passage,) = cut(FIVE, "Three", max_tokens=6)
    assert passage.text == "Two is there. Three is gone."


def test_a_mention_beyond_the_limit_in_a_long_sentence_is_not_lost() -> None:
    text = "word " * 100 + "Kyiv " + "word " * 100
    (passage,) = cut(text, "Kyiv", max_tokens=10, context=0)
    assert passage.mentions[0].span.of(passage.text) == "Kyiv"
    assert len(words([passage.text])[0]) <= 10


def test_a_mention_longer_than_the_limit_stays_whole() -> None:
    name = "very " * 20 + "long"
    (passage,) = cut(f"a b c {name} d e f", name, max_tokens=5, context=0)
    assert passage.mentions[0].span.of(passage.text) == name


def test_a_line_without_spaces_is_cut_inside() -> None:
    def letters(texts: Sequence[str]) -> list[list[int]]:
        return [list(range(len(text))) for text in texts]

    text = "x" * 20_000
    units = {"u": Span(15_000, 15_004)}
    (passage,) = cut_passages(Article("a", text), units, letters, Limits(50, 1))
    assert len(passage.text) <= 150
    assert passage.start <= 15_000
    assert passage.end >= 15_004


_ALPHABET = st.sampled_from("ab .!?\n😀İ\u0301\u200f")


@given(
    text=st.text(_ALPHABET, min_size=1, max_size=300),
    places=st.lists(st.tuples(st.integers(0, 299), st.integers(1, 40)), max_size=8),
    max_tokens=st.integers(1, 20),
    context=st.integers(0, 2),
)
def test_every_mention_lies_whole_in_exactly_one_passage(
    text: str, places: list[tuple[int, int]], max_tokens: int, context: int
) -> None:
    units = {
        f"u{i}": Span(start, min(start + length, len(text)))
        for i, (start, length) in enumerate(places)
        if start < len(text)
    }
    limits = Limits(max_tokens, context)
    passages = cut_passages(Article("a", text, language="en"), units, words, limits)
    found = {}
    for passage in passages:
        assert passage.text == text[passage.start : passage.end]
        for mention in passage.mentions:
            assert mention.unit not in found
            found[mention.unit] = mention.span.shifted(passage.start)
            assert mention.sentence.overlaps(mention.span)
            assert mention.sentence.end <= len(passage.text)
    assert found == units


@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    chosen=st.sets(st.integers(0, 11), min_size=1),
    max_tokens=st.integers(5, 40),
)
def test_a_passage_exceeds_the_limit_only_for_a_mention(
    lengths: list[int], chosen: set[int], max_tokens: int
) -> None:
    text, units = "", {}
    for i, length in enumerate(lengths):
        if i in chosen:
            units[f"u{i}"] = Span(len(text), len(text) + 4)
        text += "Kyiv" + " word" * (length - 1) + ".\n"
    for passage in cut_passages(Article("a", text), units, words, Limits(max_tokens, 1)):
        assert len(words([passage.text])[0]) <= max_tokens
