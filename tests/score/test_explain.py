"""The words that carry a score: exact where the answer is known, and safe to look at."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.annotations import AnnotationSet
from classifier.codebook import default_codebook
from classifier.errors import DataError, ModelError
from classifier.models import Calibration, Probabilities, Trained, TrainOptions
from classifier.predictions import Explanation, Prediction, Word
from classifier.predictions._prediction import NONE_CHOSEN
from classifier.records import Article, Passage, PassageMention, Span
from classifier.report import chart
from classifier.score import Scorer, load
from classifier.score._explain import passage_of, without, words_of
from classifier.training import train

WEIGHTS = {"praised": 0.5, "patience": 0.125, "blamed": -0.25, "broken": -0.25}
TEXT = "The council praised Turkey for its patience. It blamed Russia for a broken promise."


class WordModel:
    """Stance is the sum of known words' weights; the label `partner` has a fixed probability."""

    variables = tuple(default_codebook().variable(name) for name in ("stance", "roles"))
    options = TrainOptions()
    text_limit = 100

    def token_starts(self, texts: Sequence[str]) -> list[list[int]]:
        return [[match.start() for match in re.finditer(r"\w+", text)] for text in texts]

    def predict(self, passages: Sequence[Passage], *, progress: object = None) -> Probabilities:
        sums = [
            sum(WEIGHTS.get(word, 0.0) for word in re.findall(r"\w+", passage.text))
            for passage in passages
            for _ in passage.mentions
        ]
        # Stance −1, 0 and 1 at (1 − s)/2, 0 and (1 + s)/2: its expected value is s.
        stance = np.array([[(1 - s) / 2, 0.0, (1 + s) / 2] for s in sums])
        roles = np.full((len(sums), 8), 0.25)
        roles[:, 5] = 0.75
        return {"stance": stance, "roles": roles}


@pytest.fixture
def scorer() -> Scorer:
    record = {"context": 1, "base_languages": ["en"], "training_languages": {}}
    record |= {"variables": ["stance", "roles"]}
    model: Any = WordModel()
    codebook, calibration = default_codebook(), Calibration({})
    return Scorer(Trained(model, codebook, calibration, NONE_CHOSEN, record, "words@1"))


def explained(scorer: Scorer, text: str = TEXT, which: int = 0) -> Explanation:
    return scorer.explain(scorer.score(text, language="en")[which])


def test_weights_are_those_of_a_model_that_adds_words(scorer: Scorer) -> None:
    explanation = explained(scorer)
    weights = {word.surface: word.weight for word in explanation.words if abs(word.weight) > 1e-9}
    assert weights == pytest.approx(WEIGHTS)
    # .5 + .125 − .25 − .25
    assert explanation.value == pytest.approx(0.125)
    assert explanation.quantity == "stance_score"


def test_words_are_places_in_the_article(scorer: Scorer) -> None:
    text = f"Nothing here.\n\nNor here. {TEXT} After."
    explanation = explained(scorer, text, 1)
    assert explanation.prediction.row["surface"] == "Russia"
    assert [word.span.of(text) for word in explanation.words] == [
        word.surface for word in explanation.words
    ]
    assert {"praised", "broken", "Turkey"} <= {word.surface for word in explanation.words}


def test_the_mention_itself_is_no_explanation(scorer: Scorer) -> None:
    assert "Turkey" not in [word.surface for word in explained(scorer).words]


def test_every_word_costs_one_more_passage(scorer: Scorer) -> None:
    explanation = explained(scorer)
    assert explanation.n_passes == 1 + len(explanation.words)


def test_the_strongest_words_come_first(scorer: Scorer) -> None:
    top = [word.surface for word in explained(scorer).top(3)]
    assert top == ["praised", "blamed", "broken"]


def test_function_words_are_no_reasons(scorer: Scorer) -> None:
    named = {word.surface for word in explained(scorer).top(50)}
    assert "praised" in named
    assert not named & {"The", "for", "its", "a"}


def test_a_label_can_be_explained(scorer: Scorer) -> None:
    prediction = scorer.score(TEXT, language="en")[0]
    explanation = scorer.explain(prediction, label="unfavourable")
    weights = {word.surface: word.weight for word in explanation.top(1)}
    # Without "praised" s is .5 lower, and the probability of unfavourable .25 higher.
    assert weights == pytest.approx({"praised": -0.25})
    assert explanation.quantity == "p_stance_unfavourable"


def test_of_a_set_the_most_probable_label_is_explained(scorer: Scorer) -> None:
    prediction = scorer.score(TEXT, language="en")[0]
    assert scorer.explain(prediction, variable="roles").label == "partner"


def test_what_was_not_scored_cannot_be_explained(scorer: Scorer) -> None:
    prediction = scorer.score("Türkiye sabırlıydı.", language="tr")[0]
    with pytest.raises(DataError, match=r"only what was scored .* .unsupported language: tr"):
        scorer.explain(prediction)


def test_another_models_prediction_is_refused(scorer: Scorer) -> None:
    prediction = scorer.score(TEXT, language="en")[0]
    other = replace(prediction, row={**prediction.row, "model_id": "another@2"})
    with pytest.raises(ModelError, match="another@2; this is words@1"):
        scorer.explain(other)


def test_a_prediction_from_a_file_needs_its_article(scorer: Scorer, tmp_path: Path) -> None:
    said = scorer.score(TEXT, language="en")
    row = said.to_frame().iloc[0].to_dict()
    with pytest.raises(DataError, match="its article is needed"):
        scorer.explain(Prediction(row))
    explanation = scorer.explain(Prediction(row, Article("text", TEXT)))
    assert explanation.words == explained(scorer).words


def test_another_text_is_refused(scorer: Scorer) -> None:
    row = scorer.score(TEXT, language="en")[0].row
    with pytest.raises(DataError, match="must have 'Turkey' there"):
        scorer.explain(Prediction(row, Article("text", "x" + TEXT)))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"variable": "tone"}, "predicts stance, roles; got 'tone'"),
        ({"label": "warm"}, "stance has the labels .* got 'warm'"),
    ],
)
def test_what_the_model_does_not_say_is_refused(
    scorer: Scorer, asked: dict[str, str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        scorer.explain(scorer.score(TEXT, language="en")[0], **asked)


@pytest.mark.parametrize("kind", ["linear", "encoder"])
def test_the_value_is_the_one_that_was_predicted(
    kind: str, toy_set: AnnotationSet, linear_run: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    run = linear_run
    if kind == "encoder":
        options = TrainOptions(base_model=str(tiny_bert), epochs=1, max_tokens=48)
        run = train(toy_set, options, tmp_path / "run").path
    scorer = load(run)
    said = scorer.score_articles(toy_set.articles[:3])
    for prediction in said:
        explanation = scorer.explain(prediction)
        # In bfloat16 the company in a batch may change the last digits.
        assert explanation.value == pytest.approx(prediction.row["stance_score"], abs=0.01)
        assert len(explanation.words) > 5


def test_a_word_that_was_learnt_outweighs_the_others(scorer: Scorer) -> None:
    explanation = explained(scorer, "Turkey was praised at the harbour.")
    assert explanation.top(1)[0].surface == "praised"
    assert explanation.top(1)[0].weight > 0.2


TEXTS = st.text(st.sampled_from("ab é\u0306İ…'-.🇺\n"), min_size=12, max_size=60)


@given(TEXTS, st.integers(0, 10), st.integers(1, 4), st.randoms(), st.sampled_from(["", "…"]))
def test_leaving_words_out_keeps_the_mention(
    text: str,
    start: int,
    length: int,
    rng: Any,  # noqa: ANN401
    instead: str,
) -> None:
    mention = Span(start, min(start + length, len(text)))
    sentence = Span(rng.randint(0, mention.start), rng.randint(mention.end, len(text)))
    passage = Passage("a", 0, text, "en", (PassageMention("u", mention, sentence),))
    words = words_of(passage)
    chosen = [word for word in words if rng.random() < 0.5]
    left = without(passage, chosen, instead)
    (kept,) = left.mentions
    assert kept.span.of(left.text) == mention.of(text)
    assert kept.sentence.start <= kept.span.start < kept.span.end <= kept.sentence.end
    assert kept.sentence.end <= len(left.text)
    if not chosen:
        assert left == passage


def test_the_passage_is_the_one_that_was_read(scorer: Scorer) -> None:
    text = f"Far away. {TEXT} The end. Nothing more was said. Nobody came. Nobody went."
    prediction = scorer.score(text, language="en")[1]
    passage = passage_of(scorer.trained, prediction)
    assert passage.text == text[passage.start : passage.end]
    assert passage.mentions[0].sentence.of(passage.text).strip().startswith("It blamed Russia")


HOSTILE = (
    '<script>alert(1)</script> "quoted" {{ x }} praised Turkey\' onmouseover=1 </p>\u202egnorw.'
)


def test_hostile_text_stays_text(scorer: Scorer) -> None:
    said = scorer.score(HOSTILE, language="en")
    for html in (explained(scorer, HOSTILE)._repr_html_(), said[0]._repr_html_()):
        assert "<script" not in html
        assert "&lt;script&gt;" in html
        assert "\u202e" not in html
        assert "[U+202E]" in html


def test_a_word_of_a_megabyte_is_not_shown_whole(scorer: Scorer) -> None:
    text = f"The council praised Turkey for {'a' * 1_000_000}."
    said = scorer.score(text, language="en")
    explanation = scorer.explain(said[0])
    assert len(said[0]._repr_html_()) < 10_000
    assert len(explanation._repr_html_()) < 20_000
    assert len(repr(explanation)) < 1_000


def test_only_the_strong_words_are_shaded(scorer: Scorer) -> None:
    weights = (0.4, 0.1, 0.09, 0.0, -0.2)  # from .4 / 4 on
    words = tuple(Word(Span(i, i + 1), "x", weight) for i, weight in enumerate(weights))
    explanation = replace(explained(scorer), words=words)
    assert [word.weight for word in explanation.shaded()] == [0.4, -0.2, 0.1]
    assert replace(explanation, words=()).shaded() == ()


def test_no_more_than_a_dozen_words_are_shaded(scorer: Scorer) -> None:
    words = tuple(Word(Span(i, i + 1), "x", 0.1) for i in range(40))
    assert len(replace(explained(scorer), words=words).shaded()) == 12


def test_shown_words_say_their_direction_without_colour(scorer: Scorer) -> None:
    html = explained(scorer)._repr_html_()
    assert "▲ up: praised +0.50" in html
    assert "▼ down: blamed −0.25" in html
    assert "dotted" in html
    assert "solid" in html


def test_an_explanation_is_a_table_and_a_chart(scorer: Scorer) -> None:
    explanation = explained(scorer)
    assert list(explanation.to_frame().columns) == ["word", "start", "end", "weight"]
    drawn = chart(explanation).to_dict()
    assert "praised" in str(drawn)
    assert repr(explanation).startswith("Explanation of stance_score +0.125: praised +0.500")


def test_a_prediction_shows_the_mentions_of_its_passage(scorer: Scorer) -> None:
    html = scorer.score(TEXT, language="en")[0]._repr_html_()
    assert re.search(r">Turkey</span> <small>\(TR · . \w+ [+−]0\.\d\d · author\)</small>", html)
    assert ">Russia</span> <small>(RU" in html


def test_predictions_are_found_by_place_and_by_unit(scorer: Scorer) -> None:
    said = scorer.score(TEXT, language="en")
    assert [one.unit for one in said] == [said[0].unit, said[-1].unit]
    assert said[said[1].unit].row["surface"] == "Russia"
    with pytest.raises(DataError, match="no prediction has the unit 'x'"):
        said["x"]
