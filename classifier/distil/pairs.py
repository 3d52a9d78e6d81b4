"""Parallel sentences: reading tab-separated files, what is dropped, what is held out."""

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from classifier.errors import DataError
from classifier.records import LANGUAGES, Problem

LETTERS_TO_JUDGE = 40
"""Letters below which the language of a sentence is not judged: names and loan words mislead."""
SURE = 0.95
MINIMUM = 200
"""Training pairs a language needs at least: below it, word alignment finds next to nothing."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence in English and in another language."""

    english: str
    foreign: str
    language: str
    origin: str = ""


@dataclass(frozen=True)
class Pairs:
    """All that was read, with what was dropped and why."""

    pairs: tuple[Pair, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Split:
    """Pairs to train on, and per language those that only the evaluation sees."""

    training: tuple[Pair, ...]
    held_out: dict[str, tuple[Pair, ...]]


def parallel_files(folder: Path) -> dict[str, Path]:
    """The files `en-<language>.tsv` and `en-<language>.tsv.gz` of a folder, by language."""
    found = {
        path.name.split(".")[0].removeprefix("en-"): path
        for path in sorted(folder.glob("en-*.tsv*"))
        if path.name.endswith((".tsv", ".tsv.gz"))
    }
    if not found:
        raise DataError(
            f"{folder}: parallel sentences are required as en-<language>.tsv or .tsv.gz, none "
            "found; write one tab-separated file per language: English, other language, origin"
        )
    return found


def _lines(path: Path) -> list[str]:
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: a readable file is required, got: {error}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}:{line}: UTF-8 is required, got byte 0x{raw[error.start]:02x}; "
            "save the file as UTF-8"
        ) from error
    return [line.rstrip("\r") for line in text.split("\n")]


class _Judge:
    """Which of a few languages a sentence is in, where that is sure."""

    def __init__(self, languages: Iterable[str]) -> None:
        self.identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        known = set(self.identifier.nb_classes)
        self.languages = sorted(set(languages) & known)
        self.identifier.set_languages(self.languages)

    def contradicts(self, text: str, language: str) -> str | None:
        """The language it surely is in, if that is another than the one claimed."""
        letters = sum(map(str.isalpha, text))
        if letters < LETTERS_TO_JUDGE or language not in self.languages or text.isupper():
            return None
        found, probability = self.identifier.classify(text)
        return str(found) if found != language and probability >= SURE else None


def _row_problem(pair: Pair, judge: _Judge) -> tuple[str, str] | None:
    """Why a row is dropped, in general and in detail; None where it is kept."""
    if not pair.english or not pair.foreign:
        return "empty side", "a sentence on both sides is required, one is empty"
    if pair.english == pair.foreign:
        return "identical sides", "a translation is required, both sides are the same"
    for side, language in ((pair.foreign, pair.language), (pair.english, "en")):
        other = judge.contradicts(side, language)
        if other is not None:
            return "another language", f"{language} is required, py3langid finds {other}"
    return None


def read_file(path: Path, language: str, problems: list[Problem]) -> list[Pair]:
    """The usable pairs of one file; what is dropped is added to `problems`.

    Raises:
        DataError: the file is not UTF-8, or more than half of its rows lack a column.
    """
    judge = _Judge((*LANGUAGES, language))
    kept: dict[tuple[str, str], Pair] = {}
    short = rows = 0
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        rows += 1
        fields = [field.strip() for field in line.split("\t")]
        where = f"{path.name}:{number}"
        if len(fields) < 2:
            short += 1
            problems.append(Problem(where, "missing column", "2 columns are required, 1 came"))
            continue
        pair = Pair(fields[0], fields[1], language, fields[2] if len(fields) > 2 else "")
        reason = _row_problem(pair, judge)
        if reason is not None:
            problems.append(Problem(where, *reason))
        elif (pair.english, pair.foreign) in kept:
            detail = "each pair is required once, this one came before"
            problems.append(Problem(where, "repeated pair", detail))
        else:
            kept[pair.english, pair.foreign] = pair
    if short * 2 > rows:
        raise DataError(
            f"{path}: English and the other language are required, separated by a tab; "
            f"{short} of {rows} rows have one column only"
        )
    return list(kept.values())


def read_pairs(folder: Path) -> Pairs:
    """All parallel files of a folder."""
    problems: list[Problem] = []
    pairs: list[Pair] = []
    for language, path in parallel_files(folder).items():
        pairs += read_file(path, language, problems)
    return Pairs(tuple(pairs), tuple(problems))


def _held_out(
    pairs: Sequence[Pair], size: int, origins: Sequence[str], rng: np.random.Generator
) -> tuple[Pair, ...]:
    """Pairs with sides that are all different, whole sentences, of the wished origins first."""
    seen: set[str] = set()
    ranked = sorted(
        rng.permutation(len(pairs)),
        key=lambda n: (
            len(pairs[n].english.split()) < 8,
            origins.index(pairs[n].origin) if pairs[n].origin in origins else len(origins),
        ),
    )
    chosen: list[Pair] = []
    for n in ranked:
        sides = {pairs[n].english.casefold(), pairs[n].foreign.casefold()}
        if len(chosen) < size and not sides & seen:
            chosen.append(pairs[n])
            seen |= sides
    return tuple(chosen)


def split_pairs(
    pairs: Sequence[Pair],
    size: int,
    rng: np.random.Generator,
    origins: Sequence[str] = (),
    words: Sequence[str] = (),
) -> Split:
    """Hold `size` pairs of each language out; no held-out sentence is left in any training pair.

    Raises:
        DataError: a language is left with fewer than `MINIMUM` training pairs.
    """
    languages = sorted({pair.language for pair in pairs})
    held_out: dict[str, tuple[Pair, ...]] = {}
    for language in languages:
        own = [p for p in pairs if p.language == language and p.origin not in words]
        if len(own) < size + MINIMUM:
            raise DataError(
                f"en-{language}: at least {size + MINIMUM} usable sentence pairs are required "
                f"({size} held out, {MINIMUM} to train on), got {len(own)}; "
                "bring more pairs or hold out fewer"
            )
        held_out[language] = _held_out(own, size, origins, rng)
    secret = {
        side.casefold()
        for some in held_out.values()
        for p in some
        for side in (p.english, p.foreign)
    }
    training = tuple(
        p
        for p in pairs
        if p.english.casefold() not in secret and p.foreign.casefold() not in secret
    )
    return Split(training, held_out)
