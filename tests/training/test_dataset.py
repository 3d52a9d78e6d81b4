"""Splits that leak nothing, and examples whose labels stand beside the right mentions."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.annotations import AnnotationSet, adjudicate
from classifier.codebook import Label, Variable, default_codebook
from classifier.errors import CodebookError, DataError
from classifier.records import Article
from classifier.training import (
    Shares,
    SplitBy,
    build_examples,
    check_labels,
    label_array,
    split_articles,
    split_corpora,
)

STANCE = default_codebook().variable("stance")
ROLES = default_codebook().variable("roles")
TONE = Variable("tone", "nominal", "", (Label("cold", ""), Label("warm", "")))


def articles(n: int) -> list[Article]:
    return [
        Article(f"a{i}", f"text number {i}", f"s{i % 5}", "en", f"2024-01-{i % 28 + 1:02d}")
        for i in range(n)
    ]


def starts(texts: object) -> list[list[int]]:
    return [[0] for _ in list(texts)]  # type: ignore[call-overload]


def test_shares_are_met() -> None:
    parts = split_articles(articles(100), seed=1).parts
    assert {part: len(ids) for part, ids in parts.items()} == {
        "train": 60,
        "development": 10,
        "calibration": 10,
        "test": 20,
    }


def test_development_and_calibration_stop_growing() -> None:
    parts = split_articles(articles(200), shares=Shares(at_most=5)).parts
    assert len(parts["development"]) == len(parts["calibration"]) == 5


def test_the_same_seed_gives_the_same_split_and_another_one_another() -> None:
    first, again, other = (split_articles(articles(50), seed=seed).parts for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_every_part_gets_its_share_of_each_language() -> None:
    mixed = [replace(a, language=("nl", "en")[i % 2]) for i, a in enumerate(articles(80))]
    language = {a.article_id: a.language for a in mixed}
    for ids in split_articles(mixed).parts.values():
        counts = Counter(language[i] for i in ids)
        assert abs(counts["nl"] - counts["en"]) <= 2


def test_the_publishers_parts_stay_and_no_test_part_is_added() -> None:
    published = [
        replace(a, split="train" if i < 30 else "held") for i, a in enumerate(articles(40))
    ]
    parts = split_articles(published).parts
    assert parts["held"] == tuple(f"a{i}" for i in range(30, 40))
    assert set(parts) == {"train", "development", "calibration", "held"}


def test_a_published_development_part_is_used_as_such() -> None:
    published = [replace(a, split="dev" if i < 5 else None) for i, a in enumerate(articles(40))]
    assert split_articles(published).parts["development"] == tuple(f"a{i}" for i in range(5))


def test_a_text_that_is_held_out_is_not_trained_on() -> None:
    held = replace(articles(1)[0], article_id="copy", split="held")
    split = split_articles([*articles(20), held])
    assert not any("a0" in ids for ids in split.parts.values())
    assert [problem.reason for problem in split.problems] == ["same text in a held-out part"]


def test_a_split_by_date_puts_training_first() -> None:
    date = {a.article_id: a.date or "" for a in articles(28)}
    parts = split_articles(articles(28), "date").parts
    latest = [max(date[i] for i in parts[p]) for p in ("train", "development", "calibration")]
    earliest = [min(date[i] for i in parts[p]) for p in ("development", "calibration", "test")]
    assert all(before < after for before, after in zip(latest, earliest, strict=True))


def test_a_split_by_date_needs_dates() -> None:
    with pytest.raises(DataError, match="1 have none, such as 'a3'"):
        split_articles(
            [replace(a, date=None) if i == 3 else a for i, a in enumerate(articles(9))], "date"
        )


def test_fewer_articles_than_parts_are_refused() -> None:
    with pytest.raises(DataError, match=r"at least 4 groups.*got 3"):
        split_articles(articles(3))


def test_shares_must_leave_something_to_train_on() -> None:
    with pytest.raises(DataError, match="sum to less than 1"):
        Shares(0.4, 0.3, 0.3)


@given(
    stories=st.lists(st.none() | st.integers(0, 12), min_size=12, max_size=60),
    copies=st.lists(st.integers(0, 20), min_size=12, max_size=60),
    by=st.sampled_from(["article", "story", "source", "date"]),
    seed=st.integers(0, 5),
)
def test_nothing_that_belongs_together_is_parted(
    stories: list[int | None], copies: list[int], by: SplitBy, seed: int
) -> None:
    made = [
        Article(
            f"a{i}",
            f"text {copy}",
            f"s{i % 9}",
            "en",
            f"2024-01-{i % 28 + 1:02d}",
            story_id=None if story is None else f"st{story}",
        )
        for i, (story, copy) in enumerate(zip(stories, copies, strict=False))
    ]
    try:
        split = split_articles(made, by, seed=seed)
    except DataError:
        return
    part = {i: name for name, ids in split.parts.items() for i in ids}
    assert sorted(part) == sorted(a.article_id for a in made)
    assert all(split.parts.values())
    keys = [(part[a.article_id], key) for a in made for key in (a.story_id, a.text)]
    if by == "source":
        keys += [(part[a.article_id], a.source) for a in made]
    shared = Counter(key for _, key in set(keys) if key is not None)
    assert set(shared.values()) == {1}


def test_every_corpus_has_its_share_of_every_part() -> None:
    other = [
        replace(a, article_id=f"b{a.article_id}", text=f"{a.text} again") for a in articles(20)
    ]
    split = split_corpora([articles(100), other], shares=[Shares(test=0), Shares(0, 0, 0)])
    counts = Counter((part, i.startswith("b")) for part, ids in split.parts.items() for i in ids)
    assert counts == {
        ("train", False): 80,
        ("development", False): 10,
        ("calibration", False): 10,
        ("train", True): 20,
    }


def test_a_text_held_out_of_one_corpus_is_not_trained_on_in_another() -> None:
    held = replace(articles(1)[0], article_id="held", text="«One thing», he said.", split="test")
    copy = replace(held, article_id="copy", text="one THING he said", split=None)
    no_test = [Shares(test=0)] * 2
    split = split_corpora([[*articles(10), held], [*_others(10), copy]], shares=no_test)
    assert all("copy" not in ids for ids in split.parts.values())
    assert [(p.where, p.reason) for p in split.problems] == [
        ("copy", "same text in a held-out part")
    ]


def test_a_text_of_two_corpora_stands_in_one_part_only() -> None:
    copies = [replace(a, article_id=f"c{a.article_id}") for a in articles(50)]
    split = split_corpora([articles(50), copies], seed=3)
    part_of: dict[str, set[str]] = {}
    for part, ids in split.parts.items():
        for i in ids:
            part_of.setdefault(i.removeprefix("c"), set()).add(part)
    assert all(len(parts) == 1 for parts in part_of.values())
    assert len(split.problems) == 100 - sum(map(len, split.parts.values()))


def _others(n: int) -> list[Article]:
    return [replace(a, article_id=f"o{a.article_id}", text=f"{a.text} too") for a in articles(n)]


def test_labels_stand_beside_their_mentions(toy_set: AnnotationSet) -> None:
    gold = adjudicate(toy_set)
    examples = build_examples(toy_set.articles[:3], gold, (STANCE, ROLES), starts)
    units = [m.unit for passage in examples.passages for m in passage.mentions]
    expected = gold.set_index("unit").loc[units]
    assert [STANCE.names[i] for i in examples.labels["stance"]] == list(expected["stance"])
    sets = [frozenset(np.array(ROLES.names)[row == 1]) for row in examples.labels["roles"]]
    assert sets == list(expected["roles"])


def test_spans_that_are_no_mention_and_uncoded_units_are_left_out(toy_set: AnnotationSet) -> None:
    gold = adjudicate(toy_set)
    gold.loc[1, "not_target"] = True
    for name in ("stance", "roles", "settled_roles"):
        gold[name] = [None, *gold[name][1:]]
    examples = build_examples(toy_set.articles, gold, (STANCE, ROLES), starts)
    assert examples.n_mentions == len(gold) - 2


def test_labels_become_places_and_gaps_minus_one() -> None:
    assert label_array(TONE, ["warm", None, "cold"]).tolist() == [1, -1, 0]
    rows = label_array(replace(TONE, kind="set"), [frozenset({"warm"}), frozenset(), None])
    assert rows.tolist() == [[0, 1], [0, 0], [-1, -1]]


def test_a_label_of_a_set_that_is_left_open_is_not_coded() -> None:
    rows = label_array(replace(TONE, kind="set"), [{"warm": True}, {"cold": False}, {}])
    assert rows.tolist() == [[-1, 1], [0, -1], [-1, -1]]


def test_a_tied_label_of_a_set_does_not_take_the_others_with_it(toy_set: AnnotationSet) -> None:
    article = toy_set.articles[0]
    table = toy_set.table[toy_set.table["article_id"] == article.article_id].head(1)
    one, other = table.copy(), table.copy()
    one["roles"], other["roles"] = [frozenset({"weak"})], [frozenset({"weak", "strong"})]
    other["annotator"] = "another"
    both = AnnotationSet((article,), pd.concat([one, other]), toy_set.codebook)
    examples = build_examples([article], adjudicate(both), (ROLES,), starts)
    row = dict(zip(ROLES.names, examples.labels["roles"][0].tolist(), strict=True))
    assert (row["weak"], row["strong"], row["victim"]) == (1, -1, 0)


def test_an_unknown_label_is_refused() -> None:
    with pytest.raises(CodebookError, match="got 'tepid'"):
        label_array(TONE, ["tepid"])


def test_a_variable_without_labels_is_refused() -> None:
    with pytest.raises(DataError, match="'tone' has no labels in the training articles"):
        check_labels({"tone": label_array(TONE, [None, None])}, [TONE])


def test_a_variable_with_one_label_is_refused() -> None:
    with pytest.raises(DataError, match="one and the same label on all 2 training mentions"):
        check_labels({"tone": label_array(TONE, ["warm", "warm", None])}, [TONE])


def test_a_gold_table_may_be_empty() -> None:
    gold = pd.DataFrame(
        {c: [] for c in ("unit", "article_id", "start", "end", "not_target", "tone")}
    )
    assert build_examples(articles(2), gold, [TONE], starts).passages == ()
