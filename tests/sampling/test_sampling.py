from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import DataError
from classifier.records import Article
from classifier.sampling import draw_further, drawn_articles, read_frame
from classifier.sampling._articles import Cells, cells
from classifier.sampling._draw import draw_sample, write_frame


def _mentions(**sources: int) -> pd.DataFrame:
    """So many articles of each source, every third with two targets."""
    rows = []
    for source, n in sources.items():
        for i in range(n):
            rows.append({"article_id": f"{source}{i}", "source": source, "target": "RU"})
            if i % 3 == 0:
                rows.append({"article_id": f"{source}{i}", "source": source, "target": "UA"})
    return pd.DataFrame(rows)


def test_small_strata_give_what_they_cannot_take_to_the_others() -> None:
    # a: 2 articles, b: 10, c: 88; n = 42: a gives 2, b 10, the other 30 are c's
    table = draw_sample(_mentions(a=2, b=10, c=88), 42, by=["source"]).table
    assert table["stratum"].value_counts().to_dict() == {"c": 30, "b": 10, "a": 2}
    probability = table.drop_duplicates("stratum").set_index("stratum")["sampling_probability"]
    assert probability.to_dict() == {"a": 1.0, "b": 1.0, "c": 30 / 88}


def test_an_article_is_in_one_stratum_with_all_its_targets() -> None:
    sample = draw_sample(_mentions(a=9), 9)
    assert sample.table["stratum"].value_counts().to_dict() == {"a / RU": 6, "a / RU+UA": 3}
    assert sample.n_population == 9


def test_the_probability_is_the_share_of_draws_that_hold_the_article() -> None:
    # a: 3 of 10 articles, b: 2 of 5, n = 3: 1.5 each, so 0.15 and 0.3; 300 draws, three
    # standard errors are 3 * sqrt(0.3 * 0.7 / 300) = 0.079
    mentions = _mentions(a=10, b=5)
    counts: dict[str, int] = {}
    for seed in range(300):
        for article_id in draw_sample(mentions, 3, by=["source"], seed=seed).table["article_id"]:
            counts[article_id] = counts.get(article_id, 0) + 1
    shares = pd.Series(counts) / 300
    assert shares.filter(like="a").to_numpy() == pytest.approx(np.full(10, 0.15), abs=0.079)
    assert shares.filter(like="b").to_numpy() == pytest.approx(np.full(5, 0.3), abs=0.079)


@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=6),
    n=st.integers(1, 80),
    seed=st.integers(0, 9),
)
def test_as_many_are_drawn_as_asked_and_none_twice(sizes: list[int], n: int, seed: int) -> None:
    mentions = _mentions(**{f"s{i}_": size for i, size in enumerate(sizes)})
    table = draw_sample(mentions, n, by=["source"], seed=seed).table
    assert len(table) == min(n, sum(sizes))
    assert table["article_id"].is_unique
    assert table["sampling_probability"].between(0, 1, inclusive="right").all()


def test_the_same_seed_draws_the_same_articles() -> None:
    first, second = (draw_sample(_mentions(a=50), 5, seed=4).table for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_articles_can_be_drawn_by_what_they_know_and_keep_their_probability() -> None:
    articles = [Article(f"a{i}", "tekst", source="De Kade" if i else None) for i in range(4)]
    sample = draw_sample(articles, 2, by=["source"], seed=1)
    drawn = drawn_articles(articles, sample)
    # one stratum is the article without a source, the other holds three
    assert {a.source: a.sampling_probability for a in drawn} == {None: 1.0, "De Kade": 1 / 3}


def test_an_article_that_was_drawn_elsewhere_is_missed() -> None:
    sample = draw_sample(_mentions(a=3), 3)
    drawn = sorted(sample.table["article_id"])
    articles = [Article(article_id, "tekst") for article_id in drawn[1:]]
    with pytest.raises(DataError, match=rf"1 of those drawn are not there, such as '{drawn[0]}'"):
        drawn_articles(articles, sample)


def _unsure(n: int) -> pd.DataFrame:
    """One mention an article, of which the model is less sure from article to article."""
    p = np.linspace(1, 0.5, n)
    return pd.DataFrame(
        {
            "article_id": [f"a{i:03d}" for i in range(n)],
            "p_stance_neutral": p,
            "p_stance_favourable": 1 - p,
        }
    )


def _half_sure(p: float, score: Sequence[float] = (0.0,)) -> pd.DataFrame:
    """12 articles of which the model is sure, and 12 where it gives p to either label."""
    return pd.DataFrame(
        {
            "article_id": [f"{what}{i:02d}" for what in ("sure", "unsure") for i in range(12)],
            "stance_score": [score[i % len(score)] for i in range(24)],
            "p_stance_neutral": [1.0] * 12 + [p] * 12,
            "p_stance_favourable": [0.0] * 12 + [p] * 12,
        }
    )


def test_a_chance_by_uncertainty_grows_with_the_entropy_and_never_vanishes() -> None:
    frame = draw_sample(_half_sure(0.5), 12, design="uncertainty").frame
    chances = frame.set_index("article_id")["sampling_probability"]
    # A fifth of 12 goes to all 24 alike, the rest to the 12 whose entropy is not 0.
    assert chances.filter(regex="^sure").to_list() == pytest.approx([0.1] * 12)
    assert chances.filter(like="unsure").to_list() == pytest.approx([0.9] * 12)


def test_a_mention_without_probabilities_is_as_unsure_as_the_others_are() -> None:
    rows = _half_sure(np.nan)
    rows.loc[rows["p_stance_neutral"] == 1, "p_stance_neutral"] = 0.5
    rows.loc[rows["p_stance_favourable"] == 0, "p_stance_favourable"] = 0.5
    chances = draw_sample(rows, 12, design="uncertainty").frame["sampling_probability"]
    assert chances.to_list() == pytest.approx([0.5] * 24)


def test_articles_of_low_and_of_high_scores_are_drawn_alike() -> None:
    rows = _half_sure(0.5, score=(-0.8, 0.8))
    score = rows.set_index("article_id")["stance_score"]
    for seed in range(5):
        drawn = draw_sample(rows, 12, design="uncertainty", seed=seed).table
        # Four strata: of each 6 unsure articles 5.4 are drawn, of each 6 sure ones .6.
        assert drawn["stratum"].nunique() in (2, 3, 4)
        unsure = drawn[drawn["article_id"].str.startswith("unsure")]
        assert set(score[unsure["article_id"]].value_counts()) <= {5, 6}


def test_chances_by_uncertainty_sum_to_the_number_drawn() -> None:
    for n in (1, 20, 70, 99, 200):
        sample = draw_sample(_unsure(100), n, design="uncertainty")
        chances = sample.frame["sampling_probability"]
        assert chances.sum() == pytest.approx(min(n, 100))
        assert chances.between(0.199 * min(n, 100) / 100, 1 + 1e-9).all()
        assert len(sample.table) == min(n, 100)


def test_articles_are_drawn_as_often_as_their_chance_says() -> None:
    rows = _unsure(20)
    frame = draw_sample(rows, 5, design="uncertainty").frame.set_index("article_id")
    counts = pd.Series(0, index=frame.index)
    for seed in range(200):
        drawn = draw_sample(rows, 5, design="uncertainty", seed=seed).table["article_id"]
        counts[drawn.to_list()] += 1
    # 200 draws: three standard errors of a share are .106 at most.
    assert (counts / 200 - frame["sampling_probability"]).abs().max() < 0.11


@pytest.mark.parametrize(
    ("n", "by", "message"),
    [(0, ["source"], "at least one article, got n = 0"), (1, ["mood"], r"missing: \['mood'\]")],
)
def test_a_draw_that_makes_no_sense_is_refused(n: int, by: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        draw_sample(_mentions(a=3), n, by=by)


def test_targets_are_not_guessed_from_articles() -> None:
    with pytest.raises(DataError, match="targets are in the mentions or predictions"):
        draw_sample([Article("a", "tekst")], 1)


def test_an_empty_population_is_refused() -> None:
    with pytest.raises(DataError, match="needs articles to draw from, got none"):
        draw_sample([], 1, by=["source"])


def test_uncertainty_needs_probabilities() -> None:
    with pytest.raises(DataError, match="needs predictions with columns p_stance"):
        draw_sample(_mentions(a=3), 1, design="uncertainty")


def test_the_frame_has_every_article_that_could_have_been_drawn() -> None:
    sample = draw_sample(_mentions(a=10, b=5), 3, by=["source"])
    chances = sample.frame.set_index("article_id")["sampling_probability"]
    assert chances.filter(like="a").to_list() == pytest.approx([0.15] * 10)
    assert chances.filter(like="b").to_list() == pytest.approx([0.3] * 5)
    assert set(sample.table["article_id"]) <= set(chances.index)


def test_a_frame_comes_back_from_its_file(tmp_path: Path) -> None:
    frame = draw_sample(_mentions(a=10, b=5), 3, by=["source"]).frame
    write_frame(frame, tmp_path)
    back = read_frame(tmp_path)
    assert back is not None
    pd.testing.assert_frame_equal(back, frame, check_dtype=False)
    assert read_frame(tmp_path / "elsewhere") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "article_id,stratum\na,s\n",
            "the columns article_id, stratum, sampling_probability with numbers",
        ),
        (
            "article_id,stratum,sampling_probability\na,s,often\n",
            "with numbers as chances were required",
        ),
        ("article_id,stratum,sampling_probability\na,s,0.5\na,s,0.5\n", "got 'a' again; keep one"),
    ],
)
def test_a_malformed_frame_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "sampling.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_frame(tmp_path)


def test_both_draws_combine() -> None:
    # p1 = 1/4 for all; of what is left, b has p2 = 1/2: 1/4 + 3/4 * 1/2 = 5/8. c has p2 = 1.
    names = ["a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3", "c0", "c1", "c2", "c3"]
    frame = pd.DataFrame({"article_id": names, "stratum": "s", "sampling_probability": 0.25})
    chances = dict.fromkeys(names[4:8], 0.5) | dict.fromkeys(names[8:], 1.0)
    further = draw_further(frame, ["a0", "b0", "c0"], chances)
    combined = further.frame.set_index("article_id")["sampling_probability"]
    assert combined[["a0", "b0", "b1", "c0", "c1"]].tolist() == [0.25, 0.625, 0.625, 1, 1]
    drawn = further.table["article_id"]
    assert {"c1", "c2", "c3"} <= set(drawn)
    assert not {"a0", "b0", "c0"} & set(drawn)
    # b gives 1.5 of 3, rounded at random
    assert drawn.str.startswith("b").sum() in (1, 2)


def test_a_further_draw_needs_known_chances() -> None:
    frame = pd.DataFrame({"article_id": ["a", "b"], "stratum": "s"})
    unknown = frame.assign(sampling_probability=[0.5, np.nan])
    with pytest.raises(DataError, match="1 of 2 have none"):
        draw_further(unknown, ["a"], {"b": 0.5})
    with pytest.raises(DataError, match=r"must lie in \[0, 1\], got 2 for 'b'"):
        draw_further(frame.assign(sampling_probability=0.5), ["a"], {"b": 2})


def test_estimates_from_both_draws_together_are_unbiased() -> None:
    # Two sources, drawn alike first; then one of them, and there its longer half, much more. The
    # Hájek mean with combined probabilities is right on average, the plain mean is not.
    rng = np.random.default_rng(0)
    names = [f"{source}{i:02}" for source in "ab" for i in range(40)]
    value = np.concatenate([rng.normal(0, 1, 40), rng.normal(1, 1, 20), rng.normal(3, 1, 20)])
    frame = pd.DataFrame(
        {"article_id": names, "stratum": [n[0] for n in names], "sampling_probability": 0.2}
    )
    chances = dict.fromkeys(names[:40], 0.05) | dict.fromkeys(names[40:60], 0.2)
    chances |= dict.fromkeys(names[60:], 0.8)
    means, totals, plain = [], [], []
    for seed in range(200):
        first = [name for k in (0, 40) for name in rng.choice(names[k : k + 40], 8, replace=False)]
        further = draw_further(frame, first, chances, seed=seed)
        both = np.isin(names, [*first, *further.table["article_id"]])
        weight = 1 / further.frame["sampling_probability"].to_numpy()[both]
        totals.append(float((weight * value[both]).sum()))
        means.append(float((weight * value[both]).sum() / weight.sum()))
        plain.append(float(value[both].mean()))
    error, spread = float(np.std(totals)) / 200**0.5, float(np.std(means)) / 200**0.5
    assert np.mean(totals) == pytest.approx(value.sum(), abs=3 * error)
    # Hájek's ratio has a bias of the order 1 / n.
    assert np.mean(means) == pytest.approx(value.mean(), abs=3 * spread + 0.02)
    assert np.mean(plain) > value.mean() + 0.4


def test_a_seed_below_0_and_an_unknown_design_are_refused() -> None:
    table = pd.DataFrame({"article_id": ["a", "b"], "source": ["S", "S"]})
    with pytest.raises(DataError, match="a seed from 0 up was required, got -1"):
        draw_sample(table, 1, by=("source",), seed=-1)
    with pytest.raises(DataError, match="one of random, uncertainty; got 'lottery'"):
        draw_sample(table, 1, by=("source",), design="lottery")  # type: ignore[arg-type]


def test_rows_without_an_id_and_mentions_without_probabilities_are_refused() -> None:
    nameless = pd.DataFrame({"article_id": ["a", None], "source": ["S", "S"]})
    with pytest.raises(DataError, match="needs its article_id"):
        draw_sample(nameless, 1, by=("source",))
    unscored = pd.DataFrame({"article_id": ["a"], "p_stance_neutral": [float("nan")]})
    with pytest.raises(DataError, match="all are missing"):
        draw_sample(unscored, 1, design="uncertainty")


def test_a_source_without_a_name_is_unknown() -> None:
    table = pd.DataFrame({"article_id": ["a", "b", "c"], "source": ["", None, "  "]})
    assert set(draw_sample(table, 2, by=("source",)).frame["stratum"]) == {"unknown"}


def _two_sources() -> tuple[pd.DataFrame, list[str]]:
    """Source A with 30 articles about X, 10 of them about Y too; source B with 4 about X."""
    rows = [(f"a{i:02d}", "A", "X") for i in range(30)]
    rows += [(f"a{i:02d}", "A", "Y") for i in range(10)]
    rows += [(f"b{i}", "B", "X") for i in range(4)]
    return pd.DataFrame(rows, columns=["article_id", "source", "target"]), ["source"]


def _cells_of(n: int) -> Cells:
    table, by = _two_sources()
    frame = draw_sample(table, n, by=by).frame
    return cells(table, frame, lambda k: draw_sample(table, k, by=by).frame)


def test_cells_expect_the_sum_of_their_articles_chances() -> None:
    # Of 16, four go to B as a whole and 12 to A: chance .4 for each of 30.
    found = _cells_of(16).table.set_index(["source", "target"])
    assert found["articles"].to_dict() == {("A", "X"): 30, ("A", "Y"): 10, ("B", "X"): 4}
    expected = {("A", "X"): 12, ("A", "Y"): 4, ("B", "X"): 4}
    assert found["expected"].to_dict() == pytest.approx(expected)


def test_what_will_be_too_few_is_said_with_what_would_do() -> None:
    made = _cells_of(16)
    # A / Y needs chance .8 for 8 of its 10: 24 of A and 4 of B.
    assert made.n_needed == 28
    words = made.words()
    assert words[0].startswith("2 of 3 cells of source and target will have fewer than 8 coded")
    assert "A / Y 4.0 of 10, B / X 4.0 of 4" in words[0]
    assert "--n 28 would do for the others" in words
    assert words[-1] == (
        "1 cell has fewer than 8 articles in all, which no draw can mend: profile --by target or "
        "--by all"
    )


def test_no_profile_is_advised_that_a_small_corpus_cannot_bear() -> None:
    # 9 articles of X, 2 of them of Y as well: --by target leaves Y with 2.
    rows = [(f"a{i}", source, "X") for i, source in enumerate("AAAAABBBB")]
    table = pd.DataFrame(
        [*rows, ("a0", "A", "Y"), ("a5", "B", "Y")], columns=["article_id", "source", "target"]
    )

    def told(of: pd.DataFrame, n: int) -> list[str]:
        def redraw(k: int) -> pd.DataFrame:
            return draw_sample(of, k, by=["source"]).frame

        return cells(of, redraw(n), redraw).words()[1:]

    no_draw = "4 cells have fewer than 8 articles in all, which no draw can mend: "
    not_even = "with this draw not even profile --by all will have enough: draw 8 articles or more"
    assert told(table, 6) == [no_draw + "profile --by all", not_even]
    assert told(table[table["source"] == "A"], 4)[0].endswith("no draw can mend: add articles")


def test_groups_that_will_have_enough_are_named() -> None:
    # By target X has 12 + 4; Y has 8 of 10 once 28 are drawn.
    assert _cells_of(28).enough_by == ("target",)


def test_where_every_cell_will_have_enough_nothing_is_said() -> None:
    table = pd.DataFrame({"article_id": [f"a{i}" for i in range(20)], "source": "A", "target": "X"})
    frame = draw_sample(table, 10, by=["source"]).frame
    made = cells(table, frame, lambda k: draw_sample(table, k, by=["source"]).frame)
    assert made.words() == []
    assert made.n_needed is None
