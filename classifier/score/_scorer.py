"""The scorer: found by its place, it finds mentions and gives each a row by what a model says."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, get_args

import pandas as pd
import pyarrow as pa

from classifier.annotations import AnnotationSet, mention_unit
from classifier.articles import read_articles
from classifier.codebook import Codebook, Variable, default_codebook
from classifier.errors import CodebookError, DataError, ModelError, brief, in_words
from classifier.files import is_there
from classifier.mentions import MentionContext
from classifier.models import (
    RECORD,
    SHIPPED_START,
    HasReader,
    Progress,
    RuntimeName,
    Trained,
    VoiceModel,
    fetch,
    read_folds,
    read_run,
    read_voice_model,
)
from classifier.predictions import (
    OK,
    Explanation,
    Judged,
    Judgement,
    Prediction,
    Predictions,
    prediction_schema,
    prediction_table,
)
from classifier.records import UNDETERMINED, Article, Decider, Mention, Passage, Problem, Span
from classifier.score._explain import explain
from classifier.score._prepare import (
    Articles,
    Found,
    Preparation,
    as_articles,
    language_warnings,
    languages_read,
    refusal_of,
    refusal_problems,
    unread_problems,
    warning_problems,
    with_language,
)

BATCH_ARTICLES = 256
"""Articles whose passages are judged together."""
_Item = TypeVar("_Item")


_LONGEST_PATH = 260
"""Characters from which on a text is never taken for a path."""


@dataclass(frozen=True)
class Scorer:
    """A trained model, ready to be applied."""

    trained: Trained
    voices: VoiceModel | None = None
    """The labeller that decides on voices after the rules; None where the rules alone do."""

    def __repr__(self) -> str:
        """Which model it is, what it tells about whom, and in which languages."""
        told = ", ".join(variable.name for variable in self.variables)
        about = ", ".join(self.targets.target_names)
        return (
            f"Scorer {self.trained.model_id}: {told} of {about}; "
            f"languages: {', '.join(self.languages) or 'any'}"
        )

    @property
    def codebook(self) -> Codebook:
        """The codebook it was trained by."""
        return self.trained.codebook

    @property
    def targets(self) -> Codebook:
        """The codebook whose targets it looks for: its own, or the shipped one if that has none."""
        return default_codebook() if self.codebook.any_target else self.codebook

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What it predicts."""
        return self.trained.model.variables

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages that its base reads or that it was trained on."""
        return languages_read(self.trained.record)

    @cached_property
    def warnings(self) -> Mapping[str, str]:
        """What to mind about scores, by language, with the figure measured in it."""
        return language_warnings(self.trained.record)

    def score(
        self,
        texts: str | Mapping[str, Any] | Iterable[Article | Mapping[str, Any] | str] | pd.Series,
        *,
        language: str | None = None,
    ) -> Predictions:
        """Score one text, or several of any kind; many at once cost far less than one by one.

        Args:
            texts: A string; or a list, generator or Series of strings, of dicts with "text" and
                perhaps "id", or of articles. A text without an id gets its place, from 0, or its
                label in the index of a Series; a string alone is "text".
            language: Of all texts that have none of their own; by default it is found out.

        Returns:
            One row per mention; the column article_id says in which text.

        Raises:
            DataError: one of them is no text, such as None or nan; the message says which. Or a
                path was given, which `score_articles` takes.
        """
        if isinstance(texts, Path) or (isinstance(texts, str) and _is_place(texts)):
            raise DataError(f"texts were required, got the path {str(texts)!r}: use score_articles")
        if isinstance(texts, str):
            return self.score_articles([Article("text", texts, language=language)])
        several = [texts] if isinstance(texts, Mapping) else texts
        problems: list[Problem] = []
        articles = as_articles(several, problems)
        if language is not None:
            articles = (replace(a, language=a.language or language) for a in articles)
        return self._predictions(self._found(articles, problems), problems, None)

    def score_articles(
        self, articles: Articles, *, progress: Progress | None = None
    ) -> Predictions:
        """Find the targets' mentions in articles and score them all.

        Args:
            articles: Articles, texts, a table, a file or a folder.
            progress: Called after each batch with the articles done.

        Returns:
            One row per mention; `problems` lists what could not be read.

        Raises:
            DataError: there is nothing that articles can be taken from.
        """
        problems: list[Problem] = []
        stream = self._found(as_articles(articles, problems), problems)
        return self._predictions(stream, problems, progress, _number_of(articles))

    def score_mentions(
        self,
        articles: Articles,
        mentions: Mapping[str, Sequence[Mention]],
        *,
        progress: Progress | None = None,
    ) -> Predictions:
        """Score given mentions instead of finding them.

        Args:
            articles: As `score_articles` takes them.
            mentions: By article id; an article without any is not searched.
            progress: Called after each batch with the articles done.

        Returns:
            One row per mention.

        Raises:
            DataError: there is nothing that articles can be taken from.
        """
        problems: list[Problem] = []
        stream = (
            (with_language(article), mentions.get(article.article_id, ()))
            for article in as_articles(articles, problems)
        )
        return self._predictions(stream, problems, progress, _number_of(articles))

    def score_annotations(
        self,
        annotation_set: AnnotationSet,
        article_ids: Iterable[str] | None = None,
        *,
        progress: Progress | None = None,
    ) -> Predictions:
        """Score the annotated mentions, so that they can be judged.

        Args:
            annotation_set: Its annotators' mentions are scored, once each.
            article_ids: Only these articles; by default all.
            progress: Called after each batch with the articles done.

        Returns:
            One row per mention that somebody annotated.
        """
        chosen = None if article_ids is None else set(article_ids)
        articles = [a for a in annotation_set.articles if chosen is None or a.article_id in chosen]
        mentions = annotated_mentions(articles, annotation_set.table, self.targets)
        return self.score_mentions(articles, mentions, progress=progress)

    def explain(
        self, prediction: Prediction, *, variable: str | None = None, label: str | None = None
    ) -> Explanation:
        """The words of the passage that carry a score: `scorer.explain(predictions[0])`.

        Args:
            prediction: A mention that this scorer scored, with its article.
            variable: By default the first that the model predicts.
            label: Whose probability to explain; by default the score of an ordinal variable, else
                the most probable label.

        Returns:
            Every word of the passage with how far it moves the value.

        Raises:
            DataError: the mention was not scored, its article is not here, or there is no such
                label.
            ModelError: another model made the prediction.
        """
        return explain(self.trained, prediction, variable, label)

    def find(self, article: Article) -> Found:
        """The article with its language, and the mentions in it.

        Args:
            article: Its language is found out if it says none.
        """
        return self.preparation.find(article)

    def _found(self, articles: Iterable[Article], problems: list[Problem]) -> Iterator[Found]:
        """The mentions in each; an article without one that is not read is a problem."""
        for article in articles:
            found = self.find(article)
            problems += unread_problems([found], self.languages)
            yield found

    @cached_property
    def preparation(self) -> Preparation:
        """What it does to an article before the model reads it."""
        model = self.trained.model
        reader = model.reader if isinstance(model, HasReader) else model
        return Preparation(self.targets, self.languages, self.trained.record["context"], reader)

    def judge(self, found: Sequence[Found], passages: Sequence[Passage] | None = None) -> pa.Table:
        """Rows for the mentions of some articles, judged together.

        Args:
            found: Articles with their mentions, as `find` gives them.
            passages: What `preparation.passages` made of them elsewhere, if anything did.

        Returns:
            A row per mention, with the columns of `prediction_schema`.
        """
        if passages is None:
            passages = self.preparation.passages(found)
        if self.voices is not None:
            found = self.voices.settle(found, self.targets)
        said = self._judgements(passages)
        judged = [
            self._judged(article, mention, said)
            for article, mentions in found
            for mention in mentions
        ]
        trained = self.trained
        return prediction_table(
            judged,
            self.variables,
            self.codebook,
            trained.model_id,
            trained.parts,
            trained.thresholds,
        )

    def _judgements(self, passages: Sequence[Passage]) -> dict[str, Judgement]:
        raw = self.trained.model.predict(passages)
        places = [(passage, mention) for passage in passages for mention in passage.mentions]
        languages = [passage.language for passage, _ in places]
        rows = self.trained.calibration.apply(raw, self.variables, languages)
        return {
            mention.unit: Judgement(passage, {name: rows[name][i] for name in rows})
            for i, (passage, mention) in enumerate(places)
        }

    def _judged(self, article: Article, mention: Mention, said: Mapping[str, Judgement]) -> Judged:
        refused = refusal_of(article, mention, self.languages)
        if refused:
            return Judged(article, mention, refused)
        warning = self.warnings.get(article.language or UNDETERMINED)
        return Judged(article, mention, OK, said[mention_unit(article, mention)], warning)

    def _predictions(
        self,
        stream: Iterable[Found],
        problems: list[Problem],
        progress: Progress | None,
        total: int = 0,
    ) -> Predictions:
        tables = []
        kept: dict[str, Article] = {}
        done = 0
        for batch in batches(stream, BATCH_ARTICLES):
            tables.append(self.judge(batch))
            kept |= {article.article_id: article for article, mentions in batch if mentions}
            done += len(batch)
            if progress is not None:
                progress(done, total, f"{sum(t.num_rows for t in tables)} mentions")
        if not tables:
            tables = [prediction_schema(self.variables).empty_table()]
        table = tables[0] if len(tables) == 1 else pa.concat_tables(tables)
        counts = Counter(w for w in table["warning"].to_pylist() if w)
        refused = refusal_problems(Counter(table["status"].to_pylist()), self.languages)
        return Predictions(table, (*problems, *refused, *warning_problems(counts)), kept)


def batches(stream: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Consecutive parts of a stream, each of this size but the last."""
    iterator = iter(stream)
    while batch := list(islice(iterator, size)):
        yield batch


def _number_of(articles: Articles) -> int:
    """How many articles there are; 0 where nobody knows before they are read."""
    if isinstance(articles, Sized) and not isinstance(articles, str | bytes):
        return len(articles)
    return 0


def _is_place(text: str) -> bool:
    """Whether a text is the path of a file or folder that is there."""
    return 0 < len(text.strip()) < _LONGEST_PATH and is_there(text)


def annotated_mentions(
    articles: Sequence[Article], table: pd.DataFrame, codebook: Codebook
) -> dict[str, list[Mention]]:
    """The mentions that were annotated, once each, with their zones and voices found by rules."""
    units = table.drop_duplicates("unit")
    by_article = dict(tuple(units.groupby("article_id", sort=False)))
    return {
        article.article_id: _describe(article, by_article[article.article_id], codebook)
        for article in map(with_language, articles)
        if article.article_id in by_article
    }


def _describe(article: Article, units: pd.DataFrame, codebook: Codebook) -> list[Mention]:
    around, language = MentionContext(article, codebook), article.language or UNDETERMINED
    return [
        around.mention(Span(int(row.start), int(row.end)), row.target, language)
        for row in units.sort_values(["start", "end", "target"]).itertuples(index=False)
    ]


SHIPPED = Path(__file__).parent.parent / "weights" / "scorer"
LARGE = "large"
"""Names the scorer of twelve layers that the one that ships learnt from."""


def load(
    path: Path | str | None = None,
    *,
    folds: bool = False,
    runtime: RuntimeName = "auto",
    scheme: str = "",
    codebook: Codebook | Path | str | None = None,
    voice: Decider = "rules",
) -> Scorer:
    """Load a scorer.

    Args:
        path: a run folder or a Hub id; None for the scorer that ships with the package; "large"
            for the one of twelve layers that it learnt from, which takes twice as long.
        folds: Whether each article is judged by one of the models of the run's folds that has not
            seen it, so that articles which were trained on can correct a profile.
        runtime: What runs an encoder: "torch", "numpy", or with "auto" PyTorch where it is
            installed and else NumPy. PyTorch computes in what the processor multiplies
            fastest: bfloat16 with tiles (AMX), integers of eight bits with VNNI, else
            bfloat16 or float32.
        scheme: A published scheme, such as "newsmtsc", whose own head is applied, under its own
            codebook. What the run itself predicts is left out then.
        codebook: Whose targets to look for, instead of the run's. Its variables must have the
            labels that the scorer gives.
        voice: Who decides whose words a mention stands in: "rules", or "model" for the labeller
            beside them, which reads every paragraph with a mention once more.

    Returns:
        A scorer; `score_articles` applies it.

    Raises:
        ModelError: it is not there, a file in it is not the one it was saved with, or it was
            trained without folds, or the runtime is not there, or the run keeps no head of that
            scheme.
        CodebookError: the codebook has other labels than the scorer gives.
    """
    if runtime not in get_args(RuntimeName):
        raise ModelError(
            f"an encoder is run by {', '.join(get_args(RuntimeName))}; got {runtime!r}: leave "
            "runtime out, which takes the fastest"
        )
    if voice not in get_args(Decider):
        raise ModelError(
            f"voices are decided by {' or '.join(get_args(Decider))}; got {voice!r}: leave voice "
            "out, which takes the rules"
        )
    if scheme and folds:
        raise ModelError(
            f"folds have no heads of schemes, got {scheme!r}: leave one of the two out"
        )
    place = _folder(path)
    trained = read_folds(place, runtime) if folds else read_run(place, runtime, scheme)
    if codebook is not None:
        from classifier.annotations.formats import codebook_of

        trained = _looking_for(trained, codebook_of(codebook))
    return Scorer(trained, read_voice_model(runtime=runtime) if voice == "model" else None)


def _looking_for(trained: Trained, codebook: Codebook) -> Trained:
    """The model with the targets of another codebook, which must label as it does."""
    about = f"the scheme {trained.scheme!r}" if trained.scheme else "the scorer"
    known = {variable.name: variable for variable in codebook.variables}
    for own in trained.model.variables:
        other = known.get(own.name)
        if other is not None and (other.kind, other.names) != (own.kind, own.names):
            raise CodebookError(
                f"{about} labels {own.name} {', '.join(own.names)}; the codebook "
                f"{codebook.name!r} has {', '.join(other.names)}: give a codebook with the same "
                "labels, or none"
            )
    named = replace(trained.codebook, targets=codebook.targets)
    return replace(trained, codebook=named)


def _folder(path: Path | str | None) -> Path:
    """The folder of a run, fetched where it is a Hub id."""
    if path is None or (str(path) == SHIPPED_START and not is_there(path)):
        if not (SHIPPED / RECORD).is_file():
            raise ModelError("no scorer ships here; train one (classifier train DIR --out RUN)")
        return SHIPPED
    large = SHIPPED.with_name(LARGE)
    if path == LARGE and (large.is_dir() or not is_there(path)):
        if not large.is_dir():
            raise ModelError("the larger scorer is not in the small package: install the whole one")
        return large
    folder = Path(path)
    if not is_there(folder) and "/" in str(path) and not str(path).startswith((".", "/", "~")):
        try:
            folder = fetch(str(path), patterns=None)
        except ModelError as error:
            raise ModelError(
                f"{str(path)!r} is no folder here, and not to be had elsewhere: {in_words(error)}"
            ) from None
    if not (is_there(folder) and folder.is_dir()):
        raise ModelError(
            f"{brief(path)} must be a run folder or a Hub id, but there is no such folder"
        )
    return folder


def score(  # noqa: PLR0913 - one for each choice of a user
    articles: Articles | Path | str,
    run: Path | str | None = None,
    *,
    folds: bool = False,
    runtime: RuntimeName = "auto",
    scheme: str = "",
    voice: Decider = "rules",
    progress: Progress | None = None,
) -> Predictions:
    """Find the targets in articles and score every mention.

    Args:
        articles: Articles in any form that `Scorer.score_articles` takes, or a file or folder.
        run: A run folder or a Hub id; None for the scorer that ships.
        folds: As `load` takes it.
        runtime: As `load` takes it.
        scheme: As `load` takes it.
        voice: As `load` takes it.
        progress: Called while articles are scored.

    Returns:
        One row per mention.

    Raises:
        DataError: the articles cannot be read.
        ModelError: the run is not there, was altered, or the runtime is not installed.
    """
    scorer = load(run, folds=folds, runtime=runtime, scheme=scheme, voice=voice)
    given = read_articles(articles) if isinstance(articles, Path | str) else articles
    return scorer.score_articles(given, progress=progress)
