from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from classifier.errors import DataError
from classifier.intervals import (
    InferenceOptions,
    Redraws,
    Sampling,
    articles_needed,
    combined_scores,
    corrected_mean,
    corrected_terms,
    difference,
    labelled_mean,
    looks_random,
    naive_mean,
    simultaneous,
)
from classifier.records import Estimate

NAN = float("nan")
LABELS = [-1, -1, 0, 0, 0, 0, 1, 1]
OTHERS = [1, 1, 1, 1, 0, 0, 0, 0]


def _corpus(seed: int, n_articles: int = 60, n_coded: int = 20) -> tuple[np.ndarray, ...]:
    """Scores, labels with nan, articles: errors and stance cluster by article."""
    generator = np.random.default_rng(seed)
    article = np.repeat(np.arange(n_articles), generator.integers(1, 6, n_articles))
    label = np.clip(np.round(generator.normal(0, 0.8, n_articles)[article]), -1, 1)
    score = 0.7 * label + 0.2 + generator.normal(0, 0.2, len(label))
    return score, np.where(article < n_coded, label, np.nan), article


def test_corrected_mean_by_hand() -> None:
    # One mention per article, the model right on all 8 coded ones. Means 0 and 0.5; the variances
    # are 4/7 and 2/7, so λ = (4/7) / (4/7 + 2/7 · 8/8) = 2/3 and θ = 0 + 2/3 · (0.5 - 0) = 1/3.
    estimate = corrected_mean(LABELS + OTHERS, LABELS + [NAN] * 8, np.arange(16))
    assert estimate.value == pytest.approx(1 / 3)
    assert estimate.model_weight == pytest.approx(2 / 3)
    assert (estimate.n_items, estimate.n_articles, estimate.n_coded_articles) == (16, 16, 8)


def test_corrected_mean_of_this_corpus_is_exact_under_a_perfect_model() -> None:
    # λ = cov(y, y) / var(y) = 1, so θ = 0 + (mean of all 16 - 0) = 4/16.
    options = InferenceOptions(population="corpus")
    estimate = corrected_mean(LABELS + OTHERS, LABELS + [NAN] * 8, np.arange(16), options=options)
    assert estimate.value == pytest.approx(0.25)
    assert estimate.interval_status == "undefined: no variation between articles"


def test_a_useless_model_gets_no_weight() -> None:
    # cov(y, f) = 0 by construction, so the labels stand alone.
    scores = [1, -1, 1, -1, 1, -1, 1, -1]
    labels = [1, 1, -1, -1, 1, 1, -1, -1]
    estimate = corrected_mean(scores * 2, labels + [NAN] * 8, np.arange(16))
    assert estimate.model_weight == 0.0
    assert estimate.value == pytest.approx(np.mean(labels))


def test_variance_by_hand_without_other_articles() -> None:
    # All 41 articles are coded: λ = 0 and the variance is that of the label mean.
    labels = np.tile([1.0, -1.0], 21)[:41]
    estimate = corrected_mean(labels, labels, np.arange(41))
    assert estimate.standard_error == pytest.approx(labels.std(ddof=1) / np.sqrt(41))
    assert estimate.degrees_of_freedom == 40


@pytest.mark.parametrize(
    ("n_coded", "status"),
    [
        (0, "not corrected: no coded article"),
        (7, "too few: 7 coded articles, 8 needed"),
    ],
)
def test_corrected_mean_is_withheld_with_a_reason(n_coded: int, status: str) -> None:
    labels = (LABELS[:n_coded] + [NAN] * 16)[:16]
    assert corrected_mean(LABELS + OTHERS, labels, np.arange(16)).status == status


def test_labels_that_do_not_vary_are_withheld() -> None:
    estimate = corrected_mean(LABELS + OTHERS, [1] * 8 + [NAN] * 8, np.arange(16))
    assert estimate.status == "undefined: no variation among the coded labels"


def test_article_weighting_counts_every_article_alike() -> None:
    # Article means are 1 and 0 (three mentions): mention-weighted 1/4, article-weighted 1/2.
    labels, articles = [1, 0, 0, 0], ["a", "b", "b", "b"]
    by_article = InferenceOptions(estimand="article")
    assert labelled_mean(labels, articles).value == pytest.approx(0.25)
    assert labelled_mean(labels, articles, options=by_article).value == pytest.approx(0.5)


def test_clustered_interval_by_hand() -> None:
    # Mean 1/4, mean size 2; residuals (1 - 1/4)/2 = 0.375 and (0 - 3/4)/2 = -0.375, variance
    # 0.28125, over two articles 0.140625; t with 1 degree of freedom is 12.7062.
    estimate = naive_mean([1, 0, 0, 0], ["a", "b", "b", "b"])
    assert estimate.standard_error == pytest.approx(0.375)
    assert estimate.high == pytest.approx(0.25 + 12.7062 * 0.375, abs=1e-4)


def test_naive_mean_says_that_it_is_not_corrected() -> None:
    assert "not corrected for model error" in naive_mean([0.5], ["a"]).method
    assert naive_mean([0.5], ["a"]).interval_status == "too few: 1 article"
    assert naive_mean([], []).status == "undefined: no mention"


def test_coded_mentions_stand_for_the_others_of_their_article() -> None:
    # The ninth mention belongs to the first article, whose label -1 so counts twice: the labels
    # sum to 0 - 1 over 8 + 1 mentions; scores of zero change nothing.
    estimate = corrected_mean(
        np.zeros(17), [*LABELS, NAN, *[NAN] * 8], [*range(8), 0, *range(8, 16)]
    )
    assert estimate.value == pytest.approx(-1 / 9)
    assert estimate.notes == ("1 of 8 coded articles are coded in part",)


def test_scores_of_false_mentions_are_compared_like_with_like() -> None:
    # Every article also has a false mention with score 1. Coded: (0 + 8)/16 = 0.5 in the mean,
    # others (4 + 8)/16 = 0.75; residuals are y and y/2, so λ = (2/7)/(1/7 + 1/14), clipped to 1,
    # and θ = 0 + 1 · (0.75 - 0.5).
    scores = [*LABELS, *OTHERS, *[1] * 16]
    coded = [*LABELS, *[NAN] * 24]
    is_false = np.repeat([False, True, False], [16, 8, 8])
    estimate = corrected_mean(scores, coded, [*range(16)] * 2, sampling=Sampling(is_false=is_false))
    assert estimate.model_weight == 1
    assert estimate.value == pytest.approx(0.25)


def test_other_articles_of_a_coded_story_stay_in_the_estimate() -> None:
    # As by hand above, with article 8 (not coded) in the story of article 0: same θ.
    stories = [*range(8), 0, *range(9, 16)]
    coded = LABELS + [NAN] * 8
    plain = corrected_mean(LABELS + OTHERS, coded, np.arange(16))
    storied = corrected_mean(
        LABELS + OTHERS, coded, np.arange(16), sampling=Sampling(cluster=stories)
    )
    assert storied.value == pytest.approx(1 / 3)
    # Article 0 lies below the mean, article 8 above: their covariance 2 · E · λU / (g h) with
    # E = -1 + 2/3 = -1/3 and U = 2/3 · 0.5 = 1/3 is negative: 2 · (-1/9) / 64.
    assert plain.standard_error is not None
    assert storied.standard_error == pytest.approx(np.sqrt(plain.standard_error**2 - 2 / 9 / 64))


def test_coded_copies_of_one_story_are_too_few() -> None:
    estimate = corrected_mean(
        LABELS + OTHERS,
        LABELS + [NAN] * 8,
        np.arange(16),
        sampling=Sampling(cluster=[0, 0, 0, *range(3, 16)]),
    )
    assert estimate.status == "too few: 6 stories in 8 coded articles, 8 needed"


def test_a_corpus_coded_in_full_is_exact() -> None:
    options = InferenceOptions(population="corpus")
    estimate = corrected_mean([0.3] * 8, LABELS, np.arange(8), options=options)
    assert (estimate.low, estimate.value, estimate.high) == (0, 0, 0)
    assert estimate.notes == ("every article is coded",)


def test_mentions_are_counted_as_such_when_articles_count_alike() -> None:
    estimate = naive_mean([1, 0, 0, 0], list("abbb"), options=InferenceOptions(estimand="article"))
    assert (estimate.n_items, estimate.n_articles) == (4, 2)


def test_stories_widen_the_interval_of_labels() -> None:
    # Mean 1/2; the residuals of each story sum to 1 and -1: 2/(2-1) · (1 + 1)/4² = 0.25.
    estimate = labelled_mean([1, 1, 0, 0], range(4), sampling=Sampling(cluster=list("aabb")))
    assert estimate.standard_error == pytest.approx(0.5)
    assert estimate.degrees_of_freedom == 1
    assert estimate.notes == ("4 articles are 2 stories",)


def test_labels_alone_know_of_unequal_chances() -> None:
    # (2 / .5) / (2 / .5 + 2 / .1) = 4/24
    sampling = Sampling(probability=[0.5, 0.5, 0.1, 0.1])
    assert labelled_mean([1, 1, 0, 0], range(4), sampling=sampling).value == pytest.approx(1 / 6)


def test_terms_of_clusters_make_up_the_variance() -> None:
    # Without other articles λ = 0 and c/(c-1) times the sum of squared terms is s²/n.
    labels = np.tile([1.0, -1.0], 21)[:41]
    terms = corrected_terms(labels, labels, np.arange(41))
    assert 41 / 40 * sum(t**2 for t in terms.values()) == pytest.approx(labels.var(ddof=1) / 41)


@pytest.mark.parametrize("probability", [None, [0.5] * 16])
def test_terms_of_a_corpus_shrink_with_what_is_coded(probability: list[float] | None) -> None:
    # λ = 0 for constant scores, so the terms are y/8, with Σy² = 4, times sqrt(1 - 1/2) for the
    # half that is coded: 4/64 · 1/2.
    terms = corrected_terms(
        [0.5] * 16,
        LABELS + [NAN] * 8,
        np.arange(16),
        sampling=Sampling(probability=probability),
        options=InferenceOptions(population="corpus"),
    )
    assert sum(t**2 for t in terms.values()) == pytest.approx(1 / 32)


def test_stories_count_once_under_unequal_chances_too() -> None:
    # Eight stories of two coded articles each, all drawn with chance 1/2: a story's term is
    # 2y/16 · sqrt(1 - 1/2), and 8/7 · 1/2 · 4/64 = 1/28.
    sampling = Sampling(probability=[0.5] * 32, cluster=[*np.repeat(range(8), 2), *range(8, 24)])
    estimate = corrected_mean(
        [0.5] * 32,
        [*np.repeat(LABELS, 2), *[NAN] * 16],
        np.arange(32),
        sampling=sampling,
        options=InferenceOptions(population="corpus"),
    )
    assert estimate.standard_error == pytest.approx(np.sqrt(1 / 28))


def test_unequal_chances_with_a_perfect_model_leave_no_doubt_about_a_corpus() -> None:
    # λ = 1 takes every error away: θ is the mean of all scores, 4/24.
    sampling = Sampling(probability=[0.5] * 8 + [0.25] * 8 + [1.0] * 8)
    estimate = corrected_mean(
        LABELS * 2 + OTHERS,
        LABELS * 2 + [NAN] * 8,
        np.arange(24),
        sampling=sampling,
        options=InferenceOptions(population="corpus"),
    )
    assert estimate.value == pytest.approx(1 / 6)


def test_few_articles_that_carry_the_weight_are_too_few() -> None:
    # Four articles of weight 2 and four of weight 4: (8 + 16)² / (16 + 64) = 7.2.
    sampling = Sampling(probability=[0.5] * 4 + [0.25] * 4 + [1.0] * 8)
    estimate = corrected_mean(LABELS + OTHERS, LABELS + [NAN] * 8, np.arange(16), sampling=sampling)
    assert estimate.status == (
        "too few: 8 coded articles of unequal chances weigh like 7.2 of equal ones, 8 needed"
    )


def test_stratified_jackknife_by_hand() -> None:
    # Scores say nothing, so λ = 0 and θ is the stratified mean over 16 + 32 articles. In each
    # stratum (n - 1)/n · Σ (θ_(i) - θ_(·))² = W² s²/n with s² = 4/7: (1/9 + 4/9) · 4/7/8 · kept,
    # where 1/2 and 3/4 are kept: 1/9 · 1/14 · 1/2 + 4/9 · 1/14 · 3/4 = 7/252. Kish's number is
    # (16 + 32)² / (8 · 4 + 8 · 16) = 14.4.
    sampling = Sampling(probability=[0.5] * 8 + [0.25] * 8 + [0.5] * 8 + [0.25] * 24)
    estimate = corrected_mean(
        [0.5] * 48,
        [*LABELS, *LABELS, *[NAN] * 32],
        np.arange(48),
        sampling=sampling,
        options=InferenceOptions(population="corpus"),
    )
    assert estimate.standard_error == pytest.approx(np.sqrt(7 / 252))
    assert estimate.degrees_of_freedom == pytest.approx(13.4)
    assert estimate.notes == ("16 coded articles weigh like 14.4 drawn with equal chances",)


def test_articles_without_labels_bring_their_own_degrees_of_freedom() -> None:
    # 16 coded and 24 other articles. The mean score of all is (0 + 12) / 40 = .3, and the others'
    # part of the variance λ² · (12 · .7² + 12 · .3²) / 40² with 23 degrees; the rest has 15.
    estimate = corrected_mean(
        [*LABELS, *LABELS, *OTHERS, *OTHERS, *OTHERS],
        [*LABELS, -1, 0, 1, 0, 0, -1, 1, 1, *[NAN] * 24],
        np.arange(40),
        sampling=Sampling(probability=[0.4] * 40),
    )
    assert estimate.model_weight is not None
    assert estimate.standard_error is not None
    others = estimate.model_weight**2 * 6.96 / 1600
    rest = estimate.standard_error**2 - others
    freedom = (rest + others) ** 2 / (rest**2 / 15 + others**2 / 23)
    assert others > 0
    assert estimate.degrees_of_freedom == pytest.approx(freedom)


def test_scores_that_are_the_labels_are_as_sure_as_if_all_articles_were_coded() -> None:
    # Strata around -1 and 1, of 40 and 80 articles with 20 coded each: the variance is that of the
    # labels over 120 articles, most of which lies between the strata.
    spread = np.tile([-0.3, 0.3], 60)
    score = np.where(np.arange(120) < 40, -1.0, 1.0) + spread
    is_coded = np.isin(np.arange(120) % 40, range(20)) & (np.arange(120) < 80)
    estimate = corrected_mean(
        score,
        np.where(is_coded, score, NAN),
        np.arange(120),
        sampling=Sampling(probability=np.where(np.arange(120) < 40, 0.5, 0.25)),
    )
    assert estimate.model_weight == pytest.approx(1, abs=0.01)
    assert estimate.standard_error == pytest.approx(np.sqrt(score.var() / 120), rel=0.01)


def test_known_chances_undo_oversampling() -> None:
    # 10 of 100 "long" articles with label 1 were coded with chance 0.5 and 10 with label 0 with
    # chance 0.1 (20 and 100 in the corpus); a useless model leaves Hájek: (10/.5)/(10/.5 + 10/.1).
    labels = [1.0] * 10 + [0.0] * 10 + [NAN] * 100
    chance = [0.5] * 10 + [0.1] * 10 + [0.1] * 100
    estimate = corrected_mean(
        np.zeros(120), labels, np.arange(120), sampling=Sampling(probability=chance)
    )
    assert estimate.value == pytest.approx(1 / 6)


def test_equal_chances_change_no_point_estimate() -> None:
    score, coded, article = _corpus(1)
    chance = np.full(len(score), 1 / 3)
    corpus = InferenceOptions(population="corpus")
    plain = corrected_mean(score, coded, article, options=corpus)
    weighted = corrected_mean(
        score, coded, article, sampling=Sampling(probability=chance), options=corpus
    )
    assert weighted.value == pytest.approx(plain.value)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([0.1, NAN], [1, 0], ["a", "b"]), "every mention needs a score, 1 of 2 have none"),
        (([0.1], [1, 0], ["a", "b"]), r"equally long, got \[1, 2\]"),
    ],
)
def test_broken_columns_are_refused(columns: tuple[list[float], ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        corrected_mean(*columns)


def test_a_chance_outside_its_range_is_refused() -> None:
    with pytest.raises(DataError, match=r"must lie in \(0, 1\]"):
        corrected_mean([0.1], [1], ["a"], sampling=Sampling(probability=[0.0]))


def test_an_unknown_estimand_is_refused() -> None:
    with pytest.raises(DataError, match="one of mention, article was required, got 'word'"):
        InferenceOptions(estimand="word")  # type: ignore[arg-type]


def test_a_confidence_outside_its_range_is_refused() -> None:
    with pytest.raises(DataError, match="between 0 and 1, got 95"):
        InferenceOptions(confidence=95)


@given(seed=st.integers(0, 10_000), shift=st.floats(-5, 5))
@settings(max_examples=30, deadline=None)
def test_a_shift_of_scores_and_labels_shifts_the_estimate(seed: int, shift: float) -> None:
    score, coded, article = _corpus(seed)
    before = corrected_mean(score, coded, article).value
    after = corrected_mean(score + shift, coded + shift, article).value
    assert before is not None
    assert after == pytest.approx(before + shift, abs=1e-8)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    score, coded, article = _corpus(seed)
    order = np.random.default_rng(seed).permutation(len(score))
    first = corrected_mean(score, coded, article)
    second = corrected_mean(score[order], coded[order], article[order])
    assert second.value == pytest.approx(first.value)
    assert second.low == pytest.approx(first.low)


def test_shares_of_all_labels_sum_to_one() -> None:
    _, coded, article = _corpus(3)
    shares = [
        labelled_mean(np.where(np.isnan(coded), NAN, coded == number), article).value
        for number in (-1, 0, 1)
    ]
    assert sum(share or 0 for share in shares) == pytest.approx(1)


def _estimate(value: float, error: float, freedom: float) -> Estimate:
    return Estimate(value, "ok", standard_error=error, degrees_of_freedom=freedom)


def test_difference_by_hand() -> None:
    # se = sqrt(0.03² + 0.04²) = 0.05; df = 0.0025² / (0.0009²/9 + 0.0016²/16) = 25
    result = difference(_estimate(0.5, 0.03, 9), _estimate(0.2, 0.04, 16))
    assert result.value == pytest.approx(0.3)
    assert result.standard_error == pytest.approx(0.05)
    assert result.degrees_of_freedom == pytest.approx(25)
    assert result.high == pytest.approx(0.3 + stats.t.ppf(0.975, 25) * 0.05)


def test_difference_of_overlapping_means() -> None:
    # 0.03² + 0.04² - 2 · 0.0008 = 0.0009
    sides = _estimate(0.5, 0.03, 9), _estimate(0.2, 0.04, 16)
    assert difference(*sides, covariance=0.0008).standard_error == pytest.approx(0.03)


def test_difference_from_an_exact_mean_is_as_sure_as_the_other_side() -> None:
    exact = Estimate(0.2, "ok", low=0.2, high=0.2, standard_error=0.0)
    one = difference(_estimate(0.5, 0.03, 9), exact)
    assert one.standard_error == pytest.approx(0.03)
    assert one.degrees_of_freedom == pytest.approx(9)
    both = difference(replace(exact, value=0.5), exact)
    assert both.low == both.high == pytest.approx(0.3)


def test_difference_with_a_withheld_side_is_withheld() -> None:
    result = difference(_estimate(0.5, 0.03, 9), Estimate(None, "too few: 2 coded articles"))
    assert result.status == "not estimable: one side has no value"


def test_simultaneous_intervals_are_sidaks() -> None:
    # Two intervals at 0.95 jointly: each at sqrt(0.95) = 0.974679.
    wide, _ = simultaneous([_estimate(0, 1, 30), _estimate(1, 1, 30)])
    assert wide.high == pytest.approx(stats.t.ppf((1 + np.sqrt(0.95)) / 2, 30))
    assert wide.confidence == 0.95


def test_simultaneous_leaves_withheld_estimates_alone() -> None:
    withheld = Estimate(None, "too few: 2 coded articles, 8 needed")
    assert simultaneous([withheld]) == [withheld]


def test_a_wider_interval_needs_fewer_articles() -> None:
    score, coded, article = _corpus(5, n_articles=400, n_coded=40)
    narrow = articles_needed(score, coded, article, 0.12)
    wide = articles_needed(score, coded, article, 0.3)
    assert narrow is not None
    assert wide is not None
    assert 8 <= wide < narrow <= 400


def test_an_unreachable_width_is_said_to_be() -> None:
    score, coded, article = _corpus(5)
    assert articles_needed(score, coded, article, 1e-6) is None


def test_planning_needs_something_to_learn_from() -> None:
    with pytest.raises(DataError, match="learn from; not corrected: no coded article"):
        articles_needed([0.1, 0.2], [NAN, NAN], ["a", "b"], 0.1)
    with pytest.raises(DataError, match="half-width must be positive, got 0"):
        articles_needed([0.1], [1], ["a"], 0)


def test_a_random_draw_looks_random() -> None:
    score, _, article = _corpus(2, n_articles=200)
    chosen = np.random.default_rng(0).choice(200, 40, replace=False)
    assert looks_random(score, np.isin(article, chosen), article).is_random()


def test_coding_only_the_positive_articles_does_not_look_random() -> None:
    score, _, article = _corpus(2, n_articles=200)
    means = np.bincount(article, weights=score) / np.bincount(article)
    test = looks_random(score, np.isin(article, np.argsort(means)[-40:]), article)
    assert test.is_random() is False
    assert test.p_value == pytest.approx(1 / 2000)
    assert test.differences["mean score"] > 0.8


def test_differences_are_in_standard_deviations() -> None:
    # Scores 1 1 0 0, standardised 1 1 -1 -1, the first two coded: mean 1, of all 0. Of the six
    # draws of two, two are as uneven as this one, so p is near 1/3.
    test = looks_random([1, 1, 0, 0], [True, True, False, False], list("abcd"))
    assert test.differences["mean score"] == pytest.approx(1)
    assert test.p_value == pytest.approx(1 / 3, abs=0.04)


def test_what_cannot_be_tested_says_so() -> None:
    test = looks_random([0.1, 0.2], [True, False], ["a", "b"])
    assert test.is_random() is None
    assert test.status.startswith("not testable: fewer than 2")
    alike = looks_random([0.1] * 4, [True, True, False, False], list("abcd"))
    assert alike.status == "not testable: all articles are alike in what is compared"


def test_a_score_that_is_one_throughout_leaves_nothing_to_test() -> None:
    # Three times .3 over 3 is not .3 to the last digit: no difference between articles.
    article = np.repeat(np.arange(20), 3)
    alike = looks_random([0.3] * 60, article < 8, article)
    assert alike.status == "not testable: all articles are alike in what is compared"


@pytest.mark.parametrize("steps", [2, 400])
def test_unequal_chances_that_were_kept_to_look_random(steps: int) -> None:
    # Chances rise with the score; with two values they are strata, with 400 each its own.
    score, _, article = _corpus(3, n_articles=400)
    means = np.bincount(article, weights=score) / np.bincount(article)
    rank = np.argsort(np.argsort(means)) * steps // 400
    chances = 0.05 + 0.3 * rank / (steps - 1)
    rng = np.random.default_rng(5)
    redraws = Redraws(199)
    p_values, fired = [], 0
    for _ in range(30):
        coded = np.isin(article, np.flatnonzero(rng.random(400) < chances))
        own = looks_random(score, coded, article, probability=chances[article], redraws=redraws)
        p_values.append(own.p_value or 0.0)
        fired += looks_random(score, coded, article, redraws=redraws).is_random() is False
    # Uniform under the null: 30 draws have a mean of .5 with standard error .053.
    assert 0.34 < np.mean(p_values) < 0.66
    assert fired > 20


def test_what_the_design_fixes_is_no_difference() -> None:
    # One stratum of articles with one mention, one with two, chances 1/4 and 3/4.
    article = np.repeat(np.arange(40), np.repeat([1, 2], 20))
    chances = np.repeat([0.25, 0.75], 20)[article]
    score = np.random.default_rng(0).normal(size=len(article))
    coded = np.isin(article, [*range(5), *range(20, 35)])
    test = looks_random(score, coded, article, probability=chances)
    assert "mentions" not in test.differences
    assert test.is_random()


def test_a_chance_outside_0_to_1_is_refused() -> None:
    with pytest.raises(DataError, match=r"must lie in \(0, 1\]"):
        looks_random([1, 2, 3, 4], [1, 1, 0, 0], list("abcd"), probability=[0.5, 0.5, 0, 1])


def test_copies_of_stories_double_the_articles_needed() -> None:
    # Every article twice, both copies one story: the second tells nothing, so that twice as many
    # articles are needed, or one less where the first story alone would do.
    score, coded, article = (
        np.asarray(x) for x in (LABELS + OTHERS, LABELS + [NAN] * 8, range(16))
    )
    score = score + np.tile([0.4, -0.4, 0.1], 6)[:16]
    options = InferenceOptions(population="corpus")
    once = articles_needed(score, coded, article, 0.12, options=options)
    assert once is not None
    assert 8 < once < 16
    copies = [np.repeat(column, 2) for column in (score, coded, article)]
    sampling = Sampling(cluster=copies[2])
    twice = articles_needed(
        copies[0], copies[1], np.arange(32), 0.12, sampling=sampling, options=options
    )
    assert twice in (2 * once - 1, 2 * once)


def test_a_corpus_coded_in_full_by_certain_chances_is_exact() -> None:
    sampling = Sampling(probability=np.ones(8))
    options = InferenceOptions(population="corpus")
    estimate = corrected_mean(LABELS, LABELS, range(8), sampling=sampling, options=options)
    assert estimate.standard_error == 0


def test_labels_of_a_single_story_are_withheld() -> None:
    # Ten stories are coded; all mentions are false but those of two copies of the first.
    labels = [1.0, 0.0, *[NAN] * 9]
    sampling = Sampling(
        cluster=["first", "first", *"abcdefghi"], is_false=[False, False, *[True] * 9]
    )
    estimate = corrected_mean(np.linspace(-1, 1, 11), labels, range(11), sampling=sampling)
    assert estimate.status == "undefined: all true mentions that are coded are of one story"


@pytest.mark.parametrize(
    ("columns", "sampling", "message"),
    [
        pytest.param({"predicted": [0.1, float("inf")]}, {}, "scores must be", id="infinite"),
        pytest.param({"predicted": ["low", "high"]}, {}, "scores must be numbers", id="words"),
        pytest.param({"coded": [1, float("-inf")]}, {}, "labels must be", id="infinite label"),
        pytest.param({"article": ["a", None]}, {}, "needs its article, 1 of 2", id="no article"),
        pytest.param({}, {"cluster": ["s", None]}, "needs its cluster, 1 of 2", id="no cluster"),
        pytest.param({}, {"is_false": [NAN, 0]}, "is_false must be True or False", id="no mark"),
        pytest.param(
            {"article": ["a", "a"]}, {"cluster": ["s", "t"]}, "one cluster per", id="two clusters"
        ),
        pytest.param(
            {"article": ["a", "a"]},
            {"probability": [0.1, 0.9]},
            "one sampling probability per article",
            id="two chances",
        ),
    ],
)
def test_columns_that_would_quietly_mislead_are_refused(
    columns: dict[str, object], sampling: dict[str, object], message: str
) -> None:
    given = {"predicted": [0.1, 0.2], "coded": [1, NAN], "article": ["a", "b"]} | columns
    with pytest.raises(DataError, match=message):
        corrected_mean(**given, sampling=Sampling(**sampling))  # type: ignore[arg-type]


def test_a_half_width_that_is_no_number_is_refused() -> None:
    with pytest.raises(DataError, match="must be positive, got nan"):
        articles_needed(LABELS, LABELS, range(8), NAN)


def test_the_test_of_randomness_refuses_what_it_cannot_compare() -> None:
    marks, article = [True] * 4 + [False] * 4, range(8)
    with pytest.raises(DataError, match="one of the scores, 1 have none"):
        looks_random([NAN, *LABELS[1:]], marks, article)
    with pytest.raises(DataError, match="one of the confidence, 8 have none"):
        looks_random(LABELS, marks, article, others={"confidence": [NAN] * 8})
    with pytest.raises(DataError, match="is_coded must be True or False"):
        looks_random(LABELS, [1.0, NAN] * 4, article)
    with pytest.raises(DataError, match="got 0 and 0"):
        Redraws(n=0)


def test_without_scores_only_what_owes_nothing_to_a_model_is_compared() -> None:
    # 8 of 60 articles are coded, and they are the first of the year.
    article = np.arange(60)
    test = looks_random(None, article < 8, article, others={"date": article})
    assert set(test.differences) == {"date"}  # every article has one mention: length is alike
    assert test.is_random() is False


def test_a_share_that_no_coded_mention_has_gets_an_upper_bound() -> None:
    # Clopper and Pearson with 0 of 40: 1 - .025^(1/40).
    coded = [0.0] * 40 + [NAN] * 60
    options = InferenceOptions(is_share=True)
    for estimate in (
        corrected_mean([0.1] * 100, coded, np.arange(100), options=options),
        labelled_mean(coded, np.arange(100), options=options),
    ):
        assert (estimate.value, estimate.low) == (0.0, 0.0)
        assert estimate.high == pytest.approx(1 - 0.025 ** (1 / 40))
        assert "an upper bound from 40 articles" in estimate.notes[-1]


def test_a_share_has_the_interval_that_wilson_solves_for() -> None:
    # At both ends p of the interval, (θ - p)² = t² · p (1 - p) / n for n = θ (1 - θ) / SE².
    coded = [1.0] * 4 + [0.0] * 36
    estimate = labelled_mean(coded, np.arange(40), options=InferenceOptions(is_share=True))
    assert estimate.value == 0.1
    assert estimate.standard_error is not None
    n = 0.1 * 0.9 / estimate.standard_error**2
    for end in (estimate.low, estimate.high):
        assert end is not None
        assert (0.1 - end) ** 2 == pytest.approx(stats.t.ppf(0.975, 39) ** 2 * end * (1 - end) / n)


def test_a_share_that_the_model_corrects_below_zero_rests_on_the_labels() -> None:
    # Labels 1 of 10; the model gives coded articles .5 more than others, with λ = 1: .1 - .5 < 0.
    coded = [1.0] + [0.0] * 9
    scores = [1.4] + [0.4] * 9 + [0.0] * 90
    estimate = corrected_mean(
        scores, coded + [NAN] * 90, np.arange(100), options=InferenceOptions(is_share=True)
    )
    assert estimate.value == pytest.approx(0.1)
    assert estimate.model_weight == 0.0
    assert "labels only" in estimate.notes[-1]


def test_two_predictors_that_see_half_each_narrow_the_interval_together() -> None:
    rng = np.random.default_rng(3)
    halves = rng.normal(0, 1, (2, 200))
    coded = np.where(np.arange(200) < 60, halves.sum(axis=0), NAN)
    score, weights = combined_scores({"A": halves[0], "B": halves[1]}, coded, np.arange(200))
    assert list(weights) == ["A", "B"]
    together = corrected_mean(score, coded, np.arange(200)).standard_error
    for half in halves:
        alone = corrected_mean(half, coded, np.arange(200)).standard_error
        assert together is not None
        assert alone is not None
        assert together < 0.85 * alone


def test_a_predictor_that_is_noise_gets_no_weight() -> None:
    label = np.resize([1.0, -1.0, 0.0], 60)
    noise = np.resize([1.0, 1.0, 1.0, -1.0, -1.0, -1.0], 60)  # no covariance with the labels
    _, weights = combined_scores({"good": label, "noise": noise}, label, np.arange(60))
    assert weights["good"] == pytest.approx(1)
    assert weights["noise"] == pytest.approx(0, abs=1e-6)


def test_combining_nobody_is_refused() -> None:
    with pytest.raises(DataError, match="at least one predictor"):
        combined_scores({}, [1.0], ["a"])
