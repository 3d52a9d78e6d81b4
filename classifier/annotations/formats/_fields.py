"""Which fields of an export hold labels of the annotators, and on what terms they are read."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from classifier.annotations.formats._codes import (
    TARGET,
    Code,
    Decoded,
    decode,
    question_of,
    same_key,
)
from classifier.annotations.formats._foreign import LOOKS_LIKE_LABELS, Foreign, LeftOut
from classifier.codebook import Codebook
from classifier.errors import DataError
from classifier.records import Problem
from classifier.text import RULES, OffsetRule

_MISSING = ("na", "n/a", "nan", "null")
_LABELS = frozenset(
    f"{word}{ending}"
    for word in ("label", "code", "annotation", "tag", "category", "class", "codering")
    for ending in ("", "s")
)
"""What a table calls labels of any kind; case and blanks do not count."""


_PROGRAM = re.compile(
    r"model|models|pred|preds|predicted|predictions?|suggest|suggested|suggestions?|machine|auto|"
    r"automatic|bot|ai|llm|gpt.*|claude.*|llama.*|gemini.*|mistral.*|classifier|baseline|"
    r"old|older|previous|former|earlier|proposed|proposals?|preannotations?|prelabels?"
)


@lru_cache(maxsize=4096)
def is_of_program(field: str) -> bool:
    """Whether a field is called after a program, a suggestion or an earlier round of coding.

    >>> is_of_program("modelStance"), is_of_program("stance_old"), is_of_program("holder")
    (True, True, False)
    """
    words = re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+", field)
    return any(_PROGRAM.fullmatch(word.casefold()) for word in words)


@dataclass(frozen=True)
class Terms:
    """On what terms a foreign file is understood."""

    scheme: str
    """The format's name, under which labels of the codebook list their counterparts."""
    codebook: Codebook
    rules: Sequence[OffsetRule] = RULES
    """Ways of counting to try; the first is what the format promises."""
    is_one_file: bool = False
    """Whether all texts were counted alike, since one setting of the tool governs them."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Their field to the variable that it holds, or to `TARGET`."""
    _known: dict[tuple[Code, ...], Decoded] = field(default_factory=dict, repr=False)

    def decoded(self, codes: tuple[Code, ...]) -> Decoded:
        """What the labels of a region mean; the same labels come again and again."""
        found = self._known.get(codes)
        if found is None:
            found = self._known[codes] = decode(codes, self.codebook, self.scheme)
        return found


def with_own_fields(foreign: Foreign, terms: Terms) -> Foreign:
    """The regions with the labels of fields that are called after what the codebook asks.

    A tool's own fields were filled by the annotators, so their other names do not matter. In a
    table anybody may add a column; and what is called after a program is nobody's label.
    """
    ours = {same_key(theirs): name for theirs, name in terms.columns.items()}
    fields = {name for codes in {r.codes for r in foreign.regions} for name, _ in codes}
    fields |= {*foreign.columns}
    unmet = ours.keys() - set(map(same_key, fields))
    if unmet:
        raise DataError(
            f"a field called {min(unmet)!r} was required (--column), the labels have the fields "
            f"{', '.join(sorted(fields)) or 'none'}"
        )
    names = {name: ours[same_key(name)] for name in fields if same_key(name) in ours}
    asked = {name: question_of(name, terms.codebook) for name in fields - names.keys()}
    taken = {*names.values(), *(question[0] for question in asked.values() if question)}
    apart = [
        name
        for name, question in asked.items()
        if not question and not _is_taken(name, foreign, terms, taken)
    ]
    blanks = set(_blanks(foreign, terms))
    if not apart and not names and not blanks:
        return foreign
    problems = [*_not_taken(sorted(apart), foreign, terms, taken)]
    regions = tuple(
        replace(
            r,
            codes=tuple(
                (names.get(f, f), v) for f, v in r.codes if f not in apart and (f, v) not in blanks
            ),
        )
        for r in foreign.regions
    )
    return replace(foreign, regions=regions, problems=(*foreign.problems, *problems))


def _blanks(foreign: Foreign, terms: Terms) -> Iterator[Code]:
    """Cells of a table that say that there is nothing, as R and pandas do, and are no label."""
    codes = {code for region in foreign.regions for code in region.codes} if foreign.columns else ()
    for code in codes:
        is_word = code[1].strip("#<>").casefold() in _MISSING and code[0] in foreign.columns
        if is_word and same_key(code[0]) != TARGET and terms.decoded((code,)).unknown:
            yield code


def _is_taken(name: str, foreign: Foreign, terms: Terms, taken: Collection[str]) -> bool:
    """Whether a field that is called after no question may hold the annotators' labels."""
    if is_of_program(name):
        return False
    if name not in foreign.columns:
        return True
    # a question with a column of its own is answered there only
    return same_key(name) in _LABELS and not _asked_in(name, foreign, terms).keys() & taken


def _asked_in(name: str, foreign: Foreign, terms: Terms) -> Counter[str]:
    """What the cells of a field answer, and how many of them do."""
    found: Counter[str] = Counter()
    values = Counter(v for region in foreign.regions for f, v in region.codes if f == name)
    for value, n in values.items():
        decoded = terms.decoded((("", value),))
        asked = [*decoded.labels, *((TARGET,) if decoded.target else ())]
        found.update(dict.fromkeys(asked, n))
    return found


def _not_taken(
    names: Sequence[str], foreign: Foreign, terms: Terms, taken: Collection[str]
) -> Iterator[Problem]:
    others = []
    for name in names:
        asked = _asked_in(name, foreign, terms)
        if not asked:
            others.append(name)
            continue
        detail = f"{name!r} holds labels of {', '.join(asked)}"
        detail += ", and seems to be a program's or an earlier round's" * is_of_program(name)
        remedy = f"if it is the annotators', say --column {name}={next(iter(asked))}"
        n, is_meant = max(asked.values()), is_of_program(name) or asked.keys() <= set(taken)
        yield LeftOut(name, LOOKS_LIKE_LABELS, detail, remedy, n, is_meant)
    if others:
        yield Problem("columns", "columns not read", ", ".join(others))
