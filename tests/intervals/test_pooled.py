import numpy as np
import pytest

from classifier.intervals import InferenceOptions, OneSource, Sampling, pooled_means

NAN = float("nan")
CORPUS = InferenceOptions(population="corpus")


def _source(labels: list[float], scores: list[float], shift: float = 0.0) -> OneSource:
    """One mention an article; the first are coded."""
    coded = [*labels, *[NAN] * (len(scores) - len(labels))]
    names = np.arange(len(scores))
    return OneSource(np.array(scores) + shift, np.array(coded) + shift, names, Sampling())


def _alike(n: int) -> list[OneSource]:
    """Sources whose labels owe nothing to the scores, which are all the same."""
    return [_source([-1.0, 0.0, 1.0], [0.0] * 30) for _ in range(n)]


def test_sources_that_are_alike_keep_their_mean() -> None:
    estimates = pooled_means(_alike(6), options=CORPUS)
    assert [e.value for e in estimates] == pytest.approx([0.0] * 6, abs=1e-12)
    assert all(e.status == "ok" and e.model_weight == 0 for e in estimates)


def test_the_degrees_of_freedom_are_those_within_sources() -> None:
    # Six sources of three coded articles each leave 6 · 2; one goes to λ.
    assert pooled_means(_alike(6))[0].degrees_of_freedom == 11


def test_a_source_is_drawn_towards_the_others() -> None:
    apart = _source([0.0, 1.0, 1.0], [0.0] * 30)  # its own mean is 2/3
    value = pooled_means([*_alike(7), apart], options=CORPUS)[-1].value
    assert value is not None
    assert 0 < value < 2 / 3


def test_more_coded_articles_are_drawn_less() -> None:
    few = _source([0.0, 1.0, 1.0], [0.0] * 60)
    many = _source([0.0, 1.0, 1.0] * 8, [0.0] * 60)
    first, second = pooled_means([*_alike(7), few, many], options=CORPUS)[-2:]
    assert first.value is not None
    assert second.value is not None
    assert second.value > first.value


def test_an_interval_is_shorter_than_that_of_the_labels_alone() -> None:
    # Three labels -1, 0, 1 alone: 4.303 · sqrt(1/3 · (1 - 3/30)) = 2.36 on each side.
    estimate = pooled_means(_alike(6), options=CORPUS)[0]
    assert estimate.high is not None
    assert estimate.high < 1.2


def test_the_source_in_general_is_less_sure_than_this_corpus() -> None:
    this = pooled_means(_alike(6), options=CORPUS)[0].standard_error
    general = pooled_means(_alike(6))[0].standard_error
    assert this is not None
    assert general is not None
    # The variance of a label is 1, of the mean of 30 articles 1/30.
    assert general**2 - this**2 == pytest.approx(1 / 30)


def test_scores_that_differ_by_source_carry_what_they_explain() -> None:
    rng = np.random.default_rng(0)
    shifts = np.linspace(-0.6, 0.6, 8)
    scores = [rng.normal(0, 0.2, 40).tolist() for _ in shifts]
    sources = [
        _source([s + e for s, e in zip(own, (0.05, -0.1, 0.05), strict=False)], own, shift)
        for own, shift in zip(scores, shifts, strict=True)
    ]
    estimates = pooled_means(sources, options=CORPUS)
    wanted = [np.mean(own) + shift for own, shift in zip(scores, shifts, strict=True)]
    assert [e.value for e in estimates] == pytest.approx(wanted, abs=0.03)
    assert estimates[0].model_weight == pytest.approx(1, abs=0.1)


def test_four_sources_are_too_few_to_pool() -> None:
    for estimate in pooled_means(_alike(4)):
        assert estimate.status == "too few to pool: 4 sources with 3 coded articles, 5 needed"


def test_a_source_with_two_coded_articles_has_none_but_the_others_do() -> None:
    short = _source([0.0, 1.0], [0.0] * 30)
    *others, last = pooled_means([*_alike(5), short])
    assert last.status == "too few: 2 coded articles, 3 needed"
    assert all(e.status == "ok" for e in others)


def test_a_source_without_labels_says_so() -> None:
    assert pooled_means([*_alike(5), _source([], [0.0] * 5)])[-1].status == (
        "not pooled: no coded article"
    )


def test_labels_that_never_vary_are_not_pooled() -> None:
    same = [_source([1.0, 1.0, 1.0], [0.0] * 9) for _ in range(5)]
    assert pooled_means(same)[0].status.startswith("undefined: no variation")


def test_unequal_chances_weigh_by_their_effective_number() -> None:
    # Weights 20, 1, 1: (Σw)² / Σw² = 484/402 = 1.2.
    names = np.arange(20)
    coded = np.where(names < 3, [0.0, 1.0, -1.0, *[0.0] * 17], NAN)
    chance = np.where(names == 0, 0.05, 1.0)
    heavy = OneSource(np.zeros(20), coded, names, Sampling(probability=chance))
    status = pooled_means([*_alike(5), heavy])[-1].status
    assert status == "too few: 3 coded articles that weigh like 1.2, 3 needed"
