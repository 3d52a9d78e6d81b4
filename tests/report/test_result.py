"""The page opens with the result; verdicts are sentences."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from classifier.agreement import agreement_words
from classifier.annotations import AnnotationSet, adjudicate, restricted
from classifier.codebook import default_codebook
from classifier.evaluation import (
    Evaluation,
    EvaluationOptions,
    Row,
    annotator_test_words,
    evaluate,
    is_no_better,
    majority_passes,
    quality_words,
)
from classifier.intervals import IntervalOptions
from classifier.notebook_html import short
from classifier.profiles import (
    NOT_REFUTED,
    VALID,
    Profile,
    ProfileOptions,
    ProfileRow,
    Quantity,
    disagreement_words,
    profile,
    profile_sources,
    published,
    verdict_words,
)
from classifier.records import Estimate
from classifier.report import Evidence, methods_text
from classifier.report._drawing import Axis, Dots, point
from classifier.report._evidence import evidence_payload
from classifier.report._profiles import profile_section
from classifier.report._result import result_section
from classifier.report._sections import agreement_section, chance_ece, evaluation_section

TITLES = {"TR": "Turkey", "RU": "Russia", "UA": "Ukraine"}
FAST = EvaluationOptions(interval=IntervalOptions(n_draws=20))


def figure(value: float, half: float = 0.05, coded: int = 20, articles: int = 40) -> Estimate:
    return Estimate(
        value, "ok", value - half, value + half, n_articles=articles, n_coded_articles=coded
    )


def mean_row(
    target: str, naive: float, labelled: float, verdict: str = VALID, source: str = "De Vliet"
) -> ProfileRow:
    quantity = Quantity(
        "stance", None, figure(naive, coded=0), figure(labelled, coded=0), figure(labelled)
    )
    group = {"source": source, "target": target}
    return ProfileRow(group, "all", 90, 40, 20, (quantity,), verdict, "at random, chance 0.5")


def profile_of(*rows: ProfileRow) -> Profile:
    return Profile(rows, "Mean over all mentions.", {}, titles=TITLES)


def words_of(row: ProfileRow) -> str:
    return verdict_words(profile_of(row), row, row.quantities[0])


def test_model_and_labels_that_disagree_are_told_of_by_name() -> None:
    row = mean_row("RU", naive=-0.2, labelled=0.02)
    assert words_of(row) == (
        "Model and labels disagree about De Vliet, Russia (−.20 against +.02): do not use the "
        "model's mean."
    )


def test_model_and_labels_that_agree_are_valid() -> None:
    row = mean_row("RU", naive=0.01, labelled=0.02)
    assert words_of(row) == "Valid."
    assert disagreement_words(profile_of(row), row, row.quantities[0]) == ""


def test_a_draw_that_nobody_recorded_is_not_refuted_and_nothing_more() -> None:
    row = mean_row("RU", 0.02, 0.02, NOT_REFUTED)
    assert words_of(row).startswith("Not refuted: nobody recorded")
    assert published(row, row.quantities[0]) is row.quantities[0].corrected
    table = next(t for t in profile_section(profile_of(row)).tables if t.caption == "The draw")
    assert table.rows[0][-1] == "yes; nobody recorded the draw"


def test_a_refuted_draw_is_not_published() -> None:
    row = mean_row("RU", 0.02, 0.02, "not valid: the coded articles do not look like a draw")
    assert published(row, row.quantities[0]) is None
    assert words_of(row).endswith("do not use the corrected figure.")


def test_a_verdict_names_the_number_of_its_own_row() -> None:
    few = Estimate(None, "too few: 1 coded article, 8 needed", n_coded_articles=1)
    row = mean_row("RU", 0.0, 0.0, "not corrected: 3 coded articles, 8 needed")
    row = replace(row, quantities=(replace(row.quantities[0], corrected=few),))
    means = profile_section(profile_of(row)).tables[0]
    cells = dict(zip(means.columns, means.rows[0], strict=True))
    assert cells["coded"] == 1
    assert cells["verdict"] == "Too few: 1 coded article, 8 needed."


def test_the_result_says_who_how_sure_and_what_not_to_trust() -> None:
    rows = (
        mean_row("RU", -0.3, -0.3),
        mean_row("RU", -0.2, 0.02, source="Noordertij"),
        mean_row("TR", 0.2, 0.2, source="Noordertij"),
    )
    section = result_section([profile_of(*rows)], None, None, default_codebook())
    assert section is not None
    said = dict(section.points)
    assert said["Who frames whom how"] == (
        "Unfavourable to Russia: De Vliet (−.30). Favourable to Turkey: Noordertij (+.20). "
        "In 1 of 3 groups the interval holds 0: no side is sure."
    )
    assert said["How sure"].startswith("3 of 3 means can be published, each from 20 coded")
    assert "disagree about Noordertij, Russia (−.20 against +.02)" in said["What not to trust"]
    assert len(section.charts) == 1


def test_a_result_without_labels_says_that_nobody_can_tell(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    bare = profile_sources(toy_scores, toy_set.codebook)
    section = result_section([bare], None, None, toy_set.codebook)
    assert section is not None
    assert section.points[0][1].startswith("Nobody can tell yet")


def test_points_of_few_articles_are_faint_and_without_a_filled_mark() -> None:
    few = point("a", "labels only", Estimate(0.1, "ok", 0.0, 0.2, n_articles=7))
    many = point("a", "labels only", Estimate(0.1, "ok", 0.0, 0.2, n_articles=8))
    assert (few["few"], many["few"]) == (1, 0)
    dots = Dots((few, many), ("corrected", "labels only"), Axis("x"), strong="corrected")
    layers = dots.drawing("c", "d").chart.to_dict()["layer"]
    filled = [one for one in layers if one["mark"].get("filled")]
    assert [one["transform"] for one in filled] == [[{"filter": "!datum.few"}]]


def test_the_figure_to_publish_has_the_strongest_mark() -> None:
    many = point("a", "corrected", Estimate(0.1, "ok", 0.0, 0.2, n_articles=9))
    dots = Dots((many,), ("corrected", "labels only"), Axis("x"), strong="corrected")
    text = json.dumps(dots.drawing("c", "d").chart.to_dict())
    assert 'datum.series === \\"corrected\\"' in text
    assert '"value": 150' in text


def test_targets_stand_in_codebook_order_and_sources_by_the_alphabet(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    names = {"De Vliet": "de vliet", "The Ferry Post": "Ferry Post", "Noordertij": "Noordertij"}
    scores = toy_scores.assign(source=toy_scores["source"].map(names))
    made = profile_sources(scores, toy_set.codebook)
    overall = [made.names(row) for row in made if row.voice == "all"]
    assert overall[:4] == [
        ("de vliet", "Turkey"),
        ("de vliet", "Russia"),
        ("de vliet", "Ukraine"),
        ("Ferry Post", "Turkey"),
    ]
    facets = evidence_payload(Evidence(scores, toy_set.articles), None)["facets"]
    assert facets["source"]["values"] == ["de vliet", "Ferry Post", "Noordertij"]
    assert facets["target"]["values"] == ["TR", "RU", "UA"]


def coded_twice(toy_set: AnnotationSet, stance: pd.Series, other: pd.Series) -> AnnotationSet:
    table = toy_set.table
    first, second = table.assign(stance=stance), table.assign(stance=other, annotator="b")
    return replace(toy_set, table=pd.concat([first, second], ignore_index=True))


@pytest.fixture(scope="module")
def nearly_neutral(toy_set: AnnotationSet) -> AnnotationSet:
    """Two annotators who call every mention neutral but for one in twelve, never the same."""
    n = np.arange(len(toy_set.table))
    stances = [
        pd.Series(np.where(n % 12 == k, "favourable", "neutral"), toy_set.table.index)
        for k in (0, 6)
    ]
    return coded_twice(toy_set, *stances)


@pytest.fixture(scope="module")
def always_neutral(nearly_neutral: AnnotationSet, toy_scores: pd.DataFrame) -> Evaluation:
    neutral = toy_scores.assign(stance="neutral")
    options = replace(FAST, variables=("stance",))
    return evaluate(nearly_neutral, neutral, options=options)


def test_a_test_that_the_majority_class_passes_says_nothing(always_neutral: Evaluation) -> None:
    assert majority_passes(always_neutral, "stance")
    words = annotator_test_words(always_neutral, "stance")
    assert "epsilon .15: says nothing here, because always answering neutral passes" in words
    assert "Advantage " in words
    section = evaluation_section(always_neutral)
    agreement = next(t for t in section.tables if t.caption == "Agreement")
    cells = dict(zip(agreement.columns, agreement.rows[0], strict=True))
    assert cells["winning rate clustered"] == "says nothing: majority class passes too"
    assert words in methods_text(always_neutral, [], None, None).replace("Stance:", "stance:")


def test_a_model_like_the_majority_class_is_no_better(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    """Three labels a third each: always giving one has macro-F1 (2 * 1/3 / (4/3)) / 3 = .17."""
    neutral = toy_scores.assign(stance="neutral")
    made = evaluate(toy_set, neutral, options=replace(FAST, variables=("stance",)))
    words = quality_words(made, "stance")
    assert words.startswith("stance: no better than always answering ")
    assert "(macro-F1 .17 against .17): do not use the model for it." in words


def test_a_better_figure_without_an_interval_is_not_called_worse(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    few = restricted(toy_set, {a.article_id for a in toy_set.articles[:3]})
    right = toy_scores.assign(
        stance=toy_set.table.set_index("unit")["stance"][toy_scores["unit"]].to_numpy()
    )
    words = quality_words(
        evaluate(few, right, options=replace(FAST, variables=("stance",))), "stance"
    )
    assert "cannot be told from always answering" in words


def test_a_better_figure_that_may_be_chance_is_not_called_no_better(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    few = restricted(toy_set, {a.article_id for a in toy_set.articles[:6]})
    units = few.table.drop_duplicates("unit").set_index("unit")["stance"]
    (usual,) = units.mode()[:1]
    # Always the most frequent label, but right on one other mention.
    other = units.index[units != usual][0]
    said = toy_scores.assign(
        stance=[units[other] if unit == other else usual for unit in toy_scores["unit"]]
    )
    made = evaluate(few, said, options=replace(FAST, variables=("stance",)))
    words = quality_words(made, "stance")
    assert words.startswith(f"stance: cannot be told from always answering {usual} (macro-F1 ")
    assert "; which may be chance): code more articles before you use" in words
    assert is_no_better(made, "stance")


def test_labels_of_a_set_stand_beside_giving_every_mention_all_of_them(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    names = toy_set.codebook.variable("roles").names
    table = toy_set.table
    roles = [frozenset(names[:1]) if i % 3 == 0 else frozenset() for i in range(len(table))]
    coded = replace(toy_set, table=table.assign(roles=pd.Series(roles, table.index)))
    none = toy_scores.assign(roles=[[] for _ in range(len(toy_scores))])
    words = quality_words(
        evaluate(coded, none, options=replace(FAST, variables=("roles",))), "roles"
    )
    # A third of the mentions has the first role: F1 = 2 / 3 / (4 / 3) = .5, the others 0.
    every = f"{0.5 / len(names):.2f}".removeprefix("0")
    assert words == (
        f"roles: no better than giving every mention every label (macro-F1 .00 against {every}): "
        "do not use the model for it."
    )


def test_a_model_that_passes_is_still_not_as_good_as_an_annotator(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    stance = toy_set.table["stance"]
    twice = coded_twice(toy_set, stance, stance)
    labels = twice.table.drop_duplicates("unit").set_index("unit")["stance"]
    copied = toy_scores.assign(stance=toy_scores["unit"].map(labels))
    made = evaluate(twice, copied, options=replace(FAST, variables=("stance",)))
    assert (
        "passes: further from the other annotators than an annotator is on fewer than 15 of 100 "
        "mentions; not as good as an annotator."
    ) in annotator_test_words(made, "stance")


def test_annotators_who_agree_less_than_chance_are_told_of() -> None:
    line = {"variable": "stance", "part": "all", "alpha": -0.05, "low": None, "high": None}
    line |= {"status": "ok", "interval_status": "none", "n_items": 9, "n_articles": 9}
    frame = pd.DataFrame([line])
    assert agreement_words(frame)[0].startswith("Annotators agree less than chance about stance")
    assert agreement_words(frame)[0] in agreement_section(frame, TITLES).paragraphs[1]


def test_the_calibration_error_that_chance_makes_is_that_of_a_half_normal() -> None:
    """One bin: sqrt(2 c (1 - c) / (pi n)) = sqrt(2 * .25 / (pi * 50)) = .0564."""
    row = Row({}, {"confidence": Estimate(0.5, "ok")}, {"n": 50})
    assert chance_ece([row]) == pytest.approx(0.0564, abs=1e-4)
    drawn = np.random.default_rng(0).binomial(50, 0.5, 20_000) / 50
    assert chance_ece([row]) == pytest.approx(np.abs(drawn - 0.5).mean(), rel=0.03)


def test_a_calibration_error_of_few_mentions_is_flagged(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    from classifier.report._sections import calibration_section

    few = toy_scores.head(30)
    made = evaluate(toy_set, few, options=replace(FAST, variables=("stance",)))
    assert "ECE " in calibration_section(made).paragraphs[1]
    row = next(r for r in made.table("calibration") if r.keys["predictor"] == "model")
    near = replace(row, estimates={**row.estimates, "ece_equal_mass": Estimate(0.02, "ok")})
    tables = tuple(replace(t, rows=(near,)) if t.name == "calibration" else t for t in made.tables)
    said = calibration_section(replace(made, tables=tables)).paragraphs[1]
    assert "which is too high: with so few, a perfectly calibrated model shows about" in said


def test_the_draw_is_a_table_that_says_each_way_once() -> None:
    rows = [mean_row(target, 0.0, 0.0, source=f"s{i}") for i in range(4) for target in TITLES]
    section = profile_section(profile_of(*rows))
    table = next(t for t in section.tables if t.caption == "The draw")
    assert table.rows == (("all 12", "20", "40", "at random, chance 0.5", "yes"),)
    assert not any("drawn" in words for words in section.paragraphs[:1])


def test_the_page_says_by_how_much_the_correction_narrows_the_intervals() -> None:
    def row(target: str, corrected: float, verdict: str = VALID) -> ProfileRow:
        figures = (figure(0.1), figure(0.1, 0.1), figure(0.1, corrected))
        quantity = Quantity("stance", None, *figures)
        made = mean_row(target, 0.1, 0.1, verdict)
        return replace(made, quantities=(quantity,))

    refuted = "not valid: the coded articles do not look like a random draw (p = 0.0010)"
    rows = (row("TR", 0.08), row("RU", 0.105), row("UA", 0.01, refuted))
    # .08 against .10 is 20 % less, .105 is 5 % more; what is not to be published does not count.
    words = " ".join(profile_section(profile_of(*rows)).paragraphs)
    assert (
        "Intervals of corrected means are 20% narrower to 5% wider than those of labels only"
        in words
    )
    words = " ".join(profile_section(profile_of(row("TR", 0.08))).paragraphs)
    assert "are 20% narrower than" in words


def test_few_intervals_are_not_said_to_miss_half_the_time() -> None:
    section = result_section(
        (profile_of(mean_row("TR", 0.1, 0.1)),), None, None, default_codebook()
    )
    assert "By chance 1 interval in 20 misses." in str(section)


def test_gold_of_a_real_profile_gives_sentences(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    gold = adjudicate(toy_set)
    gold = gold[gold["article_id"].isin([f"t{i}" for i in range(24)])].reset_index(drop=True)
    options = ProfileOptions(by=("target",))
    made = profile_sources(toy_scores, toy_set.codebook, gold=gold, options=options)
    html = made._repr_html_()
    assert "Russia" in html
    said = [verdict_words(made, row, row.quantities[0]) for row in made]
    assert all(words.endswith(".") for words in said)


def how_sure(evaluation: Evaluation | None, agreement: pd.DataFrame | None) -> str:
    section = result_section(
        [profile_of(mean_row("RU", -0.3, -0.3))], evaluation, agreement, default_codebook()
    )
    assert section is not None
    return dict(section.points)["How sure"]


def agreement_line(alpha: float, n_items: int) -> pd.DataFrame:
    line = {"variable": "stance", "part": "all", "alpha": alpha, "low": None, "high": None}
    line |= {"status": "ok", "interval_status": "none", "n_items": n_items, "n_articles": 9}
    return pd.DataFrame([line])


def test_alphas_stand_side_by_side_only_on_the_same_mentions(
    nearly_neutral: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    """The evaluation is of 30 mentions, the agreement of 120: only the 30 are compared."""
    few = restricted(nearly_neutral, {f"t{i}" for i in range(10)})
    made = evaluate(few, toy_scores, options=replace(FAST, variables=("stance",)))
    words = how_sure(made, agreement_line(0.9, 120))
    row = next(r for r in made.table("agreement") if r.keys["predictor"] == "model")
    among, ours = (row[f"alpha_{who}"].value or 0.0 for who in ("annotators", "predictor"))
    assert (
        "on the same 30 mentions: annotators with each other "
        f"{short(among, sign=False)}, model with annotators {short(ours, sign=False)}."
    ) in words
    assert "120" not in words


def test_alphas_of_other_mentions_say_so_and_are_not_compared(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    """One annotator on the judged mentions: the two who agree did so on others."""
    made = evaluate(toy_set, toy_scores, options=replace(FAST, variables=("stance",)))
    words = how_sure(made, agreement_line(0.9, 12))
    assert "model with annotators on 120 mentions: " in words
    assert "annotators with each other on 12 mentions: .90" in words
    assert "(other mentions: do not compare the two)" in words


def test_ties_are_counted_on_the_page(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame, nearly_neutral: AnnotationSet
) -> None:
    """Ten mentions in 120 are favourable to one annotator, ten others to the other: 20 ties."""
    made = evaluate(nearly_neutral, toy_scores, options=replace(FAST, variables=("stance",)))
    told = "so without gold and in no figure against it: stance 20 of 120"
    assert told in made.gold
    by_gold = profile(toy_scores, gold=nearly_neutral)
    assert told in by_gold.gold
    assert told in " ".join(evaluation_section(made).paragraphs)
    assert told in " ".join(profile_section(by_gold).paragraphs)
    assert told in methods_text(made, [], None, None)


def test_the_result_does_not_say_how_gold_was_made(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame, nearly_neutral: AnnotationSet
) -> None:
    """That stands below, with each figure that it is about."""
    by_gold = profile(toy_scores, gold=nearly_neutral)
    section = result_section([by_gold], None, None, toy_set.codebook)
    assert section is not None
    assert "gold" not in dict(section.points)["What not to trust"]
