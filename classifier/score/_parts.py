"""A corpus in parts: a fixed number of articles each, judged together wherever that happens."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from classifier.articles import stream_articles
from classifier.predictions import Judged, prediction_table
from classifier.records import Article, Passage, Problem
from classifier.score._prepare import Found, unread_problems
from classifier.score._scorer import Scorer, batches


@dataclass(frozen=True)
class Job:
    """What is to be scored."""

    path: Path
    batch_articles: int
    done: frozenset[int] = field(default_factory=frozenset)
    """Numbers of the parts that need no judging, because an interrupted run finished them."""


@dataclass(frozen=True)
class Part:
    """The articles of a part, judged."""

    number: int
    key: str
    """Hash of the articles' ids and texts."""
    n_articles: int
    table: pa.Table | None
    """A row per mention; None of a part that was done before."""
    problems: tuple[Problem, ...] = ()
    """Articles that failed, or that name no target in a language that is not read."""
    runtime: str = ""
    """What judged it; empty of a part that was done before."""


Engine = Callable[[Scorer, Job, list[Problem]], Iterator[Part]]
"""Judges the parts of a corpus, in any order; appends what could not be read to the list."""


def read_parts(job: Job, problems: list[Problem]) -> Iterator[tuple[int, list[Article]]]:
    """Numbered parts of the articles at the job's path."""
    yield from enumerate(batches(stream_articles(job.path, problems), job.batch_articles))


def key_of(articles: Sequence[Article]) -> str:
    """Hash of the ids and texts of some articles."""
    digest = hashlib.sha256()
    for article in articles:
        digest.update(f"{article.article_id}\n{article.sha256}\n".encode())
    return digest.hexdigest()


def judge_each(scorer: Scorer, articles: Sequence[Article]) -> tuple[pa.Table, tuple[Problem, ...]]:
    """Rows for the mentions of some articles; one that makes the scorer fail spoils no other.

    Its mentions have the error as their status. Where all fail, it is not for the articles, and the
    error is raised.
    """
    return judge_found(scorer, *find_each(scorer.find, articles))


def find_each(
    find: Callable[[Article], Found], articles: Sequence[Article]
) -> tuple[list[Found], tuple[Problem, ...]]:
    """The mentions of each article, and the articles that failed."""
    found: list[Found] = []
    errors: list[tuple[Article, Exception]] = []
    for article in articles:
        try:
            found.append(find(article))
        except Exception as error:
            errors.append((article, error))
    return found, _problems(errors, len(articles))


def judge_found(
    scorer: Scorer,
    found: Sequence[Found],
    failed: tuple[Problem, ...] = (),
    passages: Sequence[Passage] | None = None,
) -> tuple[pa.Table, tuple[Problem, ...]]:
    """Rows for some articles' mentions, judged together, or one by one where that fails.

    `passages` may hold those that were made ready elsewhere.
    """
    problems = failed + unread_problems(found, scorer.languages)
    try:
        return scorer.judge(found, passages), problems
    except Exception:
        tables, errors = [], []
        for one in found:
            try:
                tables.append(scorer.judge([one]))
            except Exception as error:
                tables.append(_unjudged(scorer, one, error))
                errors.append((one[0], error))
        return pa.concat_tables(tables), problems + _problems(errors, len(found))


def _problems(errors: list[tuple[Article, Exception]], n_articles: int) -> tuple[Problem, ...]:
    for _, error in errors:
        if isinstance(error, MemoryError | OSError) or len(errors) == n_articles > 1:
            raise error
    return tuple(
        Problem(article.article_id, "article failed", _words(error)) for article, error in errors
    )


def _unjudged(scorer: Scorer, found: Found, error: Exception) -> pa.Table:
    article, mentions = found
    status = f"failed: {_words(error)}"
    judged = [Judged(article, mention, status) for mention in mentions]
    trained = scorer.trained
    return prediction_table(
        judged, scorer.variables, scorer.codebook, trained.model_id, trained.parts
    )


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]
