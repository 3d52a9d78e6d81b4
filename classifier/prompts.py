"""Requests that ask a language model for labels; they are written to a file, never sent.

The passages, and the short names of mentions, are those that our own models use.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from classifier.annotations import mention_unit
from classifier.codebook import Codebook, Variable
from classifier.errors import DataError
from classifier.files import write_json_lines
from classifier.labels import Articles, LabelledArticles, labelled_articles, short_name
from classifier.models import Limits, TextReader, cut_all
from classifier.records import Article, Passage, PassageMention, counted
from classifier.text import document_language

Batch: TypeAlias = Literal["openai", "anthropic", "text"]
_BYTES_PER_TOKEN = 4
_MOST: Mapping[str, int] = {"openai": 50_000, "anthropic": 100_000}
"""Requests in one batch, as the interfaces' references say."""
_VOICE = "voice"
_WORD = re.compile(r"\w+")
_SPARE = 3
"""How many times the expected answer a model may write, which leaves room for a fence."""


@dataclass(frozen=True)
class PromptOptions:
    """What is asked, and in which form."""

    batch: Batch = "openai"
    """"openai" and "anthropic" as their batch interfaces take requests, "text" for any other use:
    `unit` and `prompt` in each line."""
    model: str = ""
    """The model's name for the interface; needed for "openai" and "anthropic"."""
    per: Literal["mention", "passage"] = "mention"
    """A request for every mention, or one for all mentions of a passage, which takes fewer
    tokens."""
    variables: tuple[str, ...] = ()
    """Questions to ask; by default all but the voice, which rules find."""
    rules: str = ""
    """Decision rules beyond the codebook's definitions, such as a coding manual."""
    input_price: float | None = None
    """Per million tokens read, in your currency; None if the price is not to be told."""
    output_price: float | None = None
    """Per million tokens written."""

    def __post_init__(self) -> None:
        """Refuse a batch without a model."""
        if self.batch != "text" and not self.model:
            raise DataError(f"a batch for {self.batch} needs the name of a model (--model)")


@dataclass(frozen=True)
class Prompts:
    """Requests, and what they will take."""

    requests: tuple[Mapping[str, Any], ...]
    n_mentions: int
    input_tokens: int
    """Estimated: a token in four bytes of UTF-8."""
    output_tokens: int
    options: PromptOptions

    @property
    def price(self) -> float | None:
        """In the currency of the prices; None if a price is missing."""
        prices = self.options.input_price, self.options.output_price
        if prices[0] is None or prices[1] is None:
            return None
        return (self.input_tokens * prices[0] + self.output_tokens * prices[1]) / 1e6

    def __repr__(self) -> str:
        """How many requests there are, and what they take."""
        return "; ".join(self.lines())

    def lines(self) -> list[str]:
        """How much it is, for people."""
        n, most = len(self.requests), _MOST.get(self.options.batch)
        lines = [
            f"{counted(n, 'request')} about {counted(self.n_mentions, 'mention')}",
            f"about {self.input_tokens:,} tokens to read and {self.output_tokens:,} to write "
            f"(estimated: a token in {_BYTES_PER_TOKEN} bytes)",
        ]
        if self.price is None:
            lines.append("no price: give --price READ,WRITTEN, per million tokens")
        else:
            lines.append(f"price: about {self.price:,.2f} at the prices given")
        if most is not None and n > most:
            lines.append(f"{self.options.batch} takes {most:,} requests in one batch: split it")
        return lines

    def write(self, path: Path | str) -> None:
        """Write one request a line, atomically.

        Args:
            path: The file; its name ends in .jsonl.

        Raises:
            DataError: the name ends otherwise.
        """
        path = Path(path)
        if path.suffix != ".jsonl":
            raise DataError(
                f"{path}: requests are written as .jsonl, got {path.suffix or 'none'!r}"
            )
        write_json_lines(path, self.requests)


def make_prompts(
    articles: Articles,
    *,
    codebook: Codebook | Path | str | None = None,
    reader: TextReader | None = None,
    context: int = 1,
    options: PromptOptions | None = None,
) -> Prompts:
    """Ask a language model what annotators are asked.

    Args:
        articles: Articles or their path. Of an annotation set, the mentions that were coded are
            asked about; else those that the lexicon finds.
        codebook: By default that of the annotation set, else the shipped one.
        reader: How a model of ours counts its tokens, so that the passages are the same; by
            default a passage has at most 256 words.
        context: Neighbouring sentences on each side of a sentence with a mention.
        options: Interface, model, variables, rules, prices.

    Raises:
        DataError: there is no mention to ask about, or no such variable.
    """
    options = options or PromptOptions(batch="text")
    known = labelled_articles(articles, None, codebook)
    asked = _asked(known.codebook, options)
    passages = _passages(known, reader, Limits(reader.text_limit if reader else 256, context))
    if not passages:
        raise DataError(
            f"mentions to ask about were required, {counted(len(known.articles), 'article')} "
            "hold none"
        )
    system = _instructions(known.codebook, asked, options)
    makers: Mapping[str, Callable[[Passage], Iterable[_Asked]]] = {
        "mention": _each_mention,
        "passage": _whole_passage,
    }
    made = [one for passage in passages for one in makers[options.per](passage)]
    _check_names(made)
    answers = [_tokens(json.dumps(_example(one, asked, options))) for one in made]
    return Prompts(
        tuple(
            _request(one, system, asked, n, options) for one, n in zip(made, answers, strict=True)
        ),
        sum(len(passage.mentions) for passage in passages),
        sum(_tokens(system) + _tokens(one.text) for one in made),
        sum(answers),
        options,
    )


def _asked(codebook: Codebook, options: PromptOptions) -> tuple[Variable, ...]:
    if options.variables:
        return tuple(codebook.variable(name) for name in options.variables)
    return tuple(v for v in codebook.variables if v.name != _VOICE) or codebook.variables


def _passages(known: LabelledArticles, reader: TextReader | None, limits: Limits) -> list[Passage]:
    def found() -> Iterator[tuple[Article, dict[str, Any]]]:
        for article in known.articles.values():
            if article.language is None:
                article = replace(article, language=document_language(article.text))
            mentions = known.mentions(article)
            yield article, {mention_unit(article, mention): mention.span for mention in mentions}

    return cut_all(found(), reader.token_starts if reader else _words, limits)


def _words(texts: Sequence[str]) -> list[list[int]]:
    return [[match.start() for match in _WORD.finditer(text)] for text in texts]


@dataclass(frozen=True)
class _Asked:
    """One request: its name, the passage with its marks, and the names of the mentions."""

    name: str
    text: str
    mentions: tuple[tuple[str, str], ...]
    """Short name and target of each."""


def _each_mention(passage: Passage) -> Iterator[_Asked]:
    for mention in passage.mentions:
        name, target = short_name(mention.unit), _target(mention)
        span = mention.span
        before, after = passage.text[: span.start], passage.text[span.end :]
        marked = f"{before}[[{span.of(passage.text)}]]{after}"
        yield _Asked(name, f"Target: {target}\nPassage:\n{marked}", ((name, target),))


def _whole_passage(passage: Passage) -> Iterator[_Asked]:
    named = [(mention, short_name(mention.unit)) for mention in passage.mentions]
    marked = passage.text
    ends = [(mention.span.start, mention.span.end, name) for mention, name in named]
    inserted = [(start, 1, -end, f"[[{name}: ") for start, end, name in ends]
    inserted += [(end, 0, 0, "]]") for _, end, _ in ends]
    for place, _, _, words in sorted(inserted, reverse=True):  # from the end, so that places hold
        marked = f"{marked[:place]}{words}{marked[place:]}"
    listed = "\n".join(f"{name}: {_target(mention)}" for mention, name in named)
    mentions = tuple((name, _target(mention)) for mention, name in named)
    text = f"Mentions and targets:\n{listed}\nPassage:\n{marked}"
    yield _Asked(f"p{mentions[0][0]}", text, mentions)


def _target(mention: PassageMention) -> str:
    return mention.unit.rsplit(":", 1)[-1]


def _check_names(made: Sequence[_Asked]) -> None:
    names = [name for one in made for name, _ in one.mentions]
    if len(set(names)) < len(names):
        raise DataError(
            f"{len(names)} mentions have {len(set(names))} names of 12 letters: ask about fewer "
            "articles at once"
        )


def _instructions(codebook: Codebook, asked: Sequence[Variable], options: PromptOptions) -> str:
    """The task, the codebook's definitions, the rules and the form of the answer."""
    titles = "; ".join(f"{target.name}: {target.title}" for target in codebook.targets)
    what = (
        "the mention between [[ and ]]"
        if options.per == "mention"
        else "every mention between [[ and ]], each of which begins with its name"
    )
    parts = [
        f"You code news texts for a content analysis. Judge {what}, towards its target, by the "
        "passage alone and not by what you know of the source or the event.",
        *([f"Targets: {titles}"] if titles else []),
        *(_definition(variable) for variable in asked),
        *([f"Rules:\n{options.rules.strip()}"] if options.rules.strip() else []),
        "Answer with one JSON object and nothing else, by this schema:\n"
        + json.dumps(_schema(asked, None, options), ensure_ascii=False),
    ]
    return "\n\n".join(parts)


def _definition(variable: Variable) -> str:
    kind = "any number of these, or none" if variable.kind == "set" else "exactly one of these"
    labels = "\n".join(f"- {label.name}: {label.definition.strip()}" for label in variable.labels)
    return f"{variable.name} ({kind}): {variable.definition.strip()}\n{labels}"


def _schema(
    asked: Sequence[Variable], names: Sequence[str] | None, options: PromptOptions
) -> dict[str, Any]:
    """The JSON schema of an answer; with the names of the mentions if they are known."""
    questions: dict[str, Any] = {
        v.name: {"type": "array", "items": {"type": "string", "enum": list(v.names)}}
        if v.kind == "set"
        else {"type": "string", "enum": list(v.names)}
        for v in asked
    }
    if options.per == "mention":
        return _object(questions)
    unit: dict[str, Any] = {"type": "string"}
    if names is not None:
        unit["enum"] = list(names)
    return _object({"mentions": {"type": "array", "items": _object({"unit": unit, **questions})}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _example(one: _Asked, asked: Sequence[Variable], options: PromptOptions) -> dict[str, Any]:
    """An answer of the usual length."""
    labels = {v.name: [v.names[0]] if v.kind == "set" else v.names[0] for v in asked}
    if options.per == "mention":
        return labels
    return {"mentions": [{"unit": name, **labels} for name, _ in one.mentions]}


def _request(
    one: _Asked, system: str, asked: Sequence[Variable], n_answer: int, options: PromptOptions
) -> dict[str, Any]:
    if options.batch == "text":
        return {"unit": one.name, "prompt": f"{system}\n\n{one.text}"}
    longest = _SPARE * n_answer + 64
    user = {"role": "user", "content": one.text}
    if options.batch == "anthropic":
        params = {"model": options.model, "max_tokens": longest, "system": system}
        return {"custom_id": one.name, "params": params | {"messages": [user]}}
    schema = _schema(asked, [name for name, _ in one.mentions], options)
    body = {
        "model": options.model,
        "messages": [{"role": "system", "content": system}, user],
        "max_completion_tokens": longest,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "labels", "strict": True, "schema": schema},
        },
    }
    return {
        "custom_id": one.name,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body,
    }


def _tokens(text: str) -> int:
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN)
