"""What the encoder has to beat, on the same splits and by the same judge.

Each baseline learns stance from the same training articles as the encoder; those with probabilities
get a temperature on the same calibration articles. SetFit and the lexicon need packages that are no
dependency of ours (`pip install setfit vaderSentiment`); without them they are listed as not run.
"""

import importlib.util
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from benchmarks.quality._data import STANCE, Corpus, examples, joined
from benchmarks.quality._judging import frame, units_of
from benchmarks.quality._runs import Scope
from benchmarks.quality._training import Recipe
from classifier.models import (
    Calibration,
    Examples,
    Limits,
    TrainOptions,
    find_base,
    fit_calibration,
)
from classifier.models._linear import LinearModel
from classifier.models.runtime._torch import best_device, quiet_transformers, uses_bfloat16
from classifier.training import CALIBRATION, TRAIN

Rows = NDArray[np.float64]
Predict = Callable[[Examples], Rows]
"""Probabilities of the stances, one row per mention."""
Fit = Callable[[Examples, Recipe], Predict]
_SENTENCE = Limits(400, 0)
_LINEAR = Limits(64, 1)
_UNSURE = 0.05
"""Below this compound score VADER's authors call a sentence neutral."""
SETFIT_STEPS = 300
"""Contrastive steps of 16 pairs; every training mention then fits the regression."""
_MAX_TOKENS = 192


@dataclass(frozen=True)
class Baseline:
    """How one is fitted, and what it reads."""

    fit: Fit
    limits: Limits = _SENTENCE
    package: str = ""
    """A package it needs that is no dependency of ours."""
    languages: tuple[str, ...] = ()
    """The languages it can judge; all if none is named."""
    calibrated: bool = True
    has_probabilities: bool = True
    own_corpus: bool = False
    """Whether it learns from the corpus alone that it is judged on."""

    @property
    def missing(self) -> bool:
        """Whether its package is not installed."""
        return bool(self.package) and importlib.util.find_spec(self.package) is None


def sentences(some: Examples) -> list[tuple[str, str]]:
    """Per mention its sentence and its surface."""
    return [
        (mention.sentence.of(passage.text), mention.span.of(passage.text))
        for passage in some.passages
        for mention in passage.mentions
    ]


def _majority(training: Examples, _: Recipe) -> Predict:
    """Every stance as often as in training."""
    counts = Counter(training.labels["stance"].tolist())
    row = np.array([counts[place] for place in range(len(STANCE.names))], dtype=float)
    return lambda some: np.tile(row / row.sum(), (some.n_mentions, 1))


def _target_only(training: Examples, _: Recipe) -> Predict:
    """Who is named, and nothing of what is said."""
    model = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        LogisticRegression(C=2.0, max_iter=500),
    )
    model.fit([surface for _, surface in sentences(training)], training.labels["stance"])
    return lambda some: np.asarray(model.predict_proba([s for _, s in sentences(some)]))


def _linear(training: Examples, recipe: Recipe) -> Predict:
    """The package's own linear model."""
    model = LinearModel((STANCE,), recipe.options)
    model.fit(training, Examples((), {"stance": np.empty(0, dtype=np.int64)}))
    return lambda some: model.predict(some.passages)["stance"]


def _lexicon(_: Examples, __: Recipe) -> Predict:
    """VADER's compound score of the sentence, whoever is meant (Hutto and Gilbert, ICWSM 2014)."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()

    def predict(some: Examples) -> Rows:
        scores = [analyzer.polarity_scores(text)["compound"] for text, _ in sentences(some)]
        places = [1 + int(score >= _UNSURE) - int(score <= -_UNSURE) for score in scores]
        return np.eye(len(STANCE.names))[places]

    return predict


BASELINES: Mapping[str, Baseline] = {
    "majority": Baseline(_majority, calibrated=False),
    "target only": Baseline(_target_only),
    "lexicon (VADER)": Baseline(
        _lexicon,
        package="vaderSentiment",
        languages=("en",),
        calibrated=False,
        has_probabilities=False,
    ),
    "linear": Baseline(_linear, _LINEAR),
    "linear, own corpus": Baseline(_linear, _LINEAR, own_corpus=True),
    "SetFit": Baseline(
        lambda training, recipe: fit_setfit(training, recipe.options), package="setfit"
    ),
    "sentence pair": Baseline(lambda training, recipe: fit_pair(training, recipe.options)),
}


@dataclass(frozen=True)
class Fitted:
    """A baseline that has learnt, with its temperatures."""

    baseline: Baseline
    predict: Predict
    calibration: Calibration | None

    def frame(self, corpus: Corpus, part: str) -> pd.DataFrame:
        """Predictions for a part of a corpus, in the languages that the baseline can judge."""
        some = _stances(self.baseline, corpus, part)
        rows = {"stance": self.predict(some)}
        if self.calibration is not None:
            rows = self.calibration.apply(rows, (STANCE,), _languages(some))
        found = frame(units_of(some.passages), rows, (STANCE,))
        if not self.baseline.has_probabilities:
            found = found[["unit", "stance"]]
        if not self.baseline.languages:
            return found
        spoken = np.isin(_languages(some), self.baseline.languages)
        return found[spoken]


def fit(name: str, corpora: Sequence[str], scope: Scope, recipe: Recipe) -> Fitted:
    """A baseline that learnt from the training articles of some corpora."""
    baseline = BASELINES[name]
    loaded = [scope.corpus(corpus) for corpus in corpora]
    training = joined([_stances(baseline, corpus, TRAIN) for corpus in loaded])
    predict = baseline.fit(training, recipe)
    if not baseline.calibrated:
        return Fitted(baseline, predict, None)
    having = [corpus for corpus in loaded if corpus.parts.get(CALIBRATION)]
    held = joined([_stances(baseline, corpus, CALIBRATION) for corpus in having])
    rows = {"stance": predict(held)}
    found = fit_calibration(rows, held.labels, (STANCE,), _languages(held))
    return Fitted(baseline, predict, found)


def _stances(baseline: Baseline, corpus: Corpus, part: str) -> Examples:
    return examples(corpus, part, (STANCE,), _word_starts, baseline.limits)


def _languages(some: Examples) -> list[str]:
    return [passage.language for passage in some.passages for _ in passage.mentions]


def _word_starts(texts: Sequence[str]) -> list[list[int]]:
    return [[match.start() for match in re.finditer(r"\w+", text)] for text in texts]


def _texts(some: Examples) -> tuple[list[str], list[str]]:
    mentions = [(p.text, m) for p in some.passages for m in p.mentions]
    return [m.sentence.of(text) for text, m in mentions], [m.span.of(text) for text, m in mentions]


def fit_setfit(training: Examples, options: TrainOptions) -> Predict:
    """Pairs of mentions of like and unlike stance, then logistic regression.

    A mention is read as SetFit's own aspect models read it: "mention:sentence" (Tunstall et al.,
    2022; setfit's AbsaModel).
    """
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from setfit import SetFitModel, Trainer, TrainingArguments

    with TemporaryDirectory() as folder, quiet_transformers():
        folder_of_base = str(find_base(options.base_model).folder)
        kind = {"dtype": torch.float32}
        words = Transformer(folder_of_base, max_seq_length=_MAX_TOKENS, model_kwargs=kind)
        body = SentenceTransformer(
            modules=[words, Pooling(words.get_embedding_dimension(), "mean")],
            device=best_device().type,
        )
        model = SetFitModel.from_pretrained(_saved(body, folder), labels=list(STANCE.names))
        arguments = TrainingArguments(
            output_dir=f"{folder}/out",
            batch_size=16,
            max_steps=SETFIT_STEPS,
            seed=options.seed,
            report_to="none",
            save_strategy="no",
            show_progress_bar=False,
        )
        rows = {"text": _aspects(training), "label": training.labels["stance"].tolist()}
        Trainer(model, arguments, train_dataset=Dataset.from_dict(rows)).train()

    def predict(some: Examples) -> NDArray[np.float64]:
        found = model.predict_proba(_aspects(some), as_numpy=True)
        return np.asarray(found, dtype=np.float64)

    return predict


def _saved(body: Any, folder: str) -> str:  # noqa: ANN401
    body.save(f"{folder}/body")
    return f"{folder}/body"


def _aspects(some: Examples) -> list[str]:
    return [f"{surface}:{text}" for text, surface in zip(*_texts(some), strict=True)]


def fit_pair(training: Examples, options: TrainOptions) -> Predict:
    """Sentence and mention as the two texts of a pair; a classifier on the first token."""
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    set_seed(options.seed)
    folder = find_base(options.base_model).folder
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def items(some: Examples, labels: bool) -> list[dict[str, Any]]:
        read = tokenizer(*_texts(some), truncation="only_first", max_length=_MAX_TOKENS)
        rows = [dict(zip(read, values, strict=True)) for values in zip(*read.values(), strict=True)]
        if labels:
            for row, label in zip(rows, some.labels["stance"].tolist(), strict=True):
                row["labels"] = label
        return rows

    with TemporaryDirectory() as out, quiet_transformers():
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=len(STANCE.names), dtype=torch.float32
        )
        arguments = TrainingArguments(
            output_dir=out,
            num_train_epochs=options.epochs,
            per_device_train_batch_size=32,
            learning_rate=5e-5,
            seed=options.seed,
            bf16=uses_bfloat16(options.precision, best_device()),
            use_cpu=best_device().type == "cpu",
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        trainer = Trainer(
            model,
            arguments,
            train_dataset=items(training, labels=True),
            data_collator=DataCollatorWithPadding(tokenizer),
        )
        trainer.train()

    def predict(some: Examples) -> NDArray[np.float64]:
        with quiet_transformers():
            logits = torch.tensor(trainer.predict(items(some, labels=False)).predictions)
        return torch.softmax(logits.double(), dim=1).numpy()

    return predict
