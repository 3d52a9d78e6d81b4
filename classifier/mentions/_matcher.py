"""Finding a lexicon's forms in a match view: leftmost, longest, in one linear pass."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from classifier.codebook import Codebook, Target
from classifier.mentions._lexicon import Entry, Exclusion, Language, Lexicon, build_lexicon
from classifier.records import MentionKind

_SPACE = " ?[ \n] ?"
_GAP = re.compile(_SPACE)
_SPACES = re.compile(r"\s+")
_START = re.compile(r"(?<!\w)\S")
"""Where a word or a sign starts."""
_END = ""
_SOLID_TAIL = r"(?=[^\W\d_]{3})"
_WINDOW = 48
"""View characters around a hit in which an exclusion may lie."""

_NEIGHBOURS = 3
"""Characters beside a hit that are compared with an exclusion before it is searched for."""
_NAME_KINDS = ("name", "demonym")
_STEM = 4
"""Letters that make two words look alike."""
_Tree = dict[str, "_Tree"]
_Item = TypeVar("_Item", Entry, Exclusion)


class Hit(NamedTuple):
    """Forms of entries at a place of the view."""

    start: int
    end: int
    form: str
    entries: tuple[Entry, ...]
    joined: bool
    """Whether the form is only a part of a solid word."""


class Blocked(NamedTuple):
    """A form of exclusions at a place of the view."""

    start: int
    end: int
    exclusions: tuple[Exclusion, ...]


@dataclass(frozen=True)
class Matcher:
    """A lexicon made ready for search."""

    lexicon: Lexicon

    def search(self, string: str, start: int, end: int) -> tuple[list[Hit], list[Blocked]]:
        """Forms of entries in a stretch of a view's string, and of exclusions close to them."""
        hits = list(self._hits(string, start, end))
        return hits, self._exclusions(string, hits, start, end)

    def _hits(self, string: str, start: int, end: int) -> Iterator[Hit]:
        """Every form of an entry that starts and ends in a stretch of a view's string."""
        by_form, finder = self._by_form, self._finder
        if finder is None:
            return
        for match in finder.finditer(string, start, end):
            group = match.lastindex or 0
            form = match.group(group)
            if form not in by_form:
                form = _SPACES.sub(" ", form)
            after = match.end()
            joined = group > 0 or (after < end and string[after].isalpha())
            yield Hit(match.start(group), after, form, by_form[form], joined)

    def _exclusions(self, string: str, hits: Iterable[Hit], start: int, end: int) -> list[Blocked]:
        """Every form of an exclusion close to the hits in a stretch of a view, by its start."""
        found = []
        suspects = (hit for hit in hits if self._is_suspect(string, hit))
        for low, high in _windows(string, suspects, start, end):
            for tree in self._exclusion_trees:
                for first, last in _forms_in(tree, string, low, high):
                    form = _SPACES.sub(" ", string[first:last])
                    found.append(Blocked(first, last, self._exclusions_by_form[form]))
        return sorted(found, key=lambda blocked: blocked.start)

    def _is_suspect(self, string: str, hit: Hit) -> bool:
        """Whether the letters beside a hit allow an exclusion: cheap, and spares most hits."""
        neighbours = self._neighbours.get(hit.form)
        if neighbours is None:
            return False
        before = _before(string[max(0, hit.start - 2 * _NEIGHBOURS) : hit.start])
        after = _after(string[hit.end : hit.end + 2 * _NEIGHBOURS])
        return any(
            (-1, before[-n:]) in neighbours or (1, after[:n]) in neighbours
            for n in range(_NEIGHBOURS + 1)
        )

    @cached_property
    def _neighbours(self) -> Mapping[str, set[tuple[int, str]]]:
        """Per form, the ends of what precedes it (-1) or else follows it (1) in an exclusion."""
        neighbours: dict[str, set[tuple[int, str]]] = {}
        for exclusion in self.lexicon.exclusions:
            for form in exclusion.forms:
                for hit in self._hits(form, 0, len(form)):
                    before, after = _before(form[: hit.start]), _after(form[hit.end :])
                    neighbour = (-1, before) if before else (1, after)
                    neighbours.setdefault(hit.form, set()).add(neighbour)
        return neighbours

    def lookalikes(self, string: str) -> Iterator[tuple[int, int]]:
        """Words of a view's string that begin like a form, or hold the beginning of a long one."""
        done = 0
        while self._lookalike and (match := self._lookalike.search(string, done)):
            start, end = match.span()
            while start > done and string[start - 1].isalpha():
                start -= 1
            while end < len(string) and string[end].isalpha():
                end += 1
            yield start, end
            done = end

    @cached_property
    def _lookalike(self) -> re.Pattern[str] | None:
        stems, parts = set(), set()
        for entry in self.lexicon.entries:
            is_name = entry.kind in _NAME_KINDS
            words = [form for form in entry.forms if len(form) >= _STEM and form.isalpha()]
            stems |= {word[: _STEM if is_name else _STEM + 1] for word in words}
            parts |= {word[: _STEM + 1] for word in words if is_name and len(word) > _STEM}
        if not stems:
            return None
        options = [rf"(?<!\w){_pattern(_tree(stems))}"]
        options += [_pattern(_tree(parts))] if parts else []
        return re.compile("|".join(options))

    @cached_property
    def _by_form(self) -> Mapping[str, tuple[Entry, ...]]:
        return _index(self.lexicon.entries)

    @cached_property
    def _exclusions_by_form(self) -> Mapping[str, tuple[Exclusion, ...]]:
        return _index(self.lexicon.exclusions)

    @cached_property
    def _finder(self) -> re.Pattern[str] | None:
        prefixes = [p for language in self._languages for p in language.setting("prefixes")]
        prefixed = _tree(prefixes), _tree(self._forms("prefixed"))
        return _compile(_tree(self._by_form), _tree(self._forms("solid")), prefixed)

    @property
    def _languages(self) -> Iterable[Language]:
        return self.lexicon.languages.values()

    def _forms(self, setting: str) -> Iterator[str]:
        """Forms of the kinds that a language lists under a setting, without a genitive's -s."""
        for entry in self.lexicon.entries:
            if self.lexicon.has(setting, entry) or (setting == "solid" and entry.is_solid):
                yield from (f for f in entry.forms if not (f[-1] == "s" and f[:-1] in entry.forms))

    @cached_property
    def _exclusion_trees(self) -> tuple[_Tree, _Tree]:
        # Apart, so that a long form whose conditions fail hides no shorter one without any.
        # Walked and not compiled: few hits are suspects, and `re` takes seconds to make ready.
        forms: tuple[list[str], list[str]] = ([], [])
        for form, found in self._exclusions_by_form.items():
            forms[found[0].is_conditional].append(form)
        return _tree(forms[False]), _tree(forms[True])


_TargetKey = tuple[str, str, str | None, tuple[tuple[str, tuple[str, ...]], ...], int]


def matcher_of(codebook: Codebook) -> Matcher:
    """The codebook's lexicon made ready for search; built once per set of targets and kinds."""
    return _cached_matcher(
        tuple(
            (t.name, t.title, t.lexicon, tuple(sorted(t.aliases.items())), _stamp(t))
            for t in codebook.targets
        ),
        codebook.mention_kinds,
    )


@lru_cache(maxsize=16)
def _cached_matcher(key: tuple[_TargetKey, ...], kinds: tuple[MentionKind, ...]) -> Matcher:
    targets = (
        Target(name, title, lexicon, dict(aliases)) for name, title, lexicon, aliases, _ in key
    )
    return Matcher(build_lexicon(targets, kinds))


def _stamp(target: Target) -> int:
    """When a target's own lexicon was last written, so that a mended one is read again."""
    if target.lexicon is None or not target.lexicon.endswith(".toml"):
        return 0
    path = Path(target.lexicon)
    return path.stat().st_mtime_ns if path.exists() else 0


def _windows(string: str, hits: Iterable[Hit], start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a stretch that lie close to a hit, merged, in order, ending between words."""
    low = high = start
    for hit in hits:
        if hit.start - _WINDOW > high:
            if high > low:
                yield low, high
            low = hit.start - _WINDOW
        high = _word_end(string, hit.end + _WINDOW, end)
    if high > low:
        yield low, high


def _before(text: str) -> str:
    return text.replace("\n", " ").rstrip(" ")[-_NEIGHBOURS:]


def _after(text: str) -> str:
    return text.replace("\n", " ").lstrip(" ")[:_NEIGHBOURS]


def _word_end(string: str, index: int, limit: int) -> int:
    last = min(limit, index + _WINDOW)
    while index < last and string[index].isalnum():
        index += 1
    return min(index, limit)


def _index(items: Iterable[_Item]) -> dict[str, tuple[_Item, ...]]:
    index: dict[str, list[_Item]] = {}
    for item in items:
        for form in item.forms:
            index.setdefault(form, []).append(item)
    return {form: tuple(found) for form, found in index.items()}


def _tree(forms: Iterable[str]) -> _Tree:
    tree: _Tree = {}
    for form in forms:
        node = tree
        for letter in form:
            node = node.setdefault(letter, {})
        node[_END] = {}
    return tree


def _forms_in(tree: _Tree, string: str, low: int, high: int) -> Iterator[tuple[int, int]]:
    """The longest form of a tree at every place in a stretch where a word starts."""
    for match in _START.finditer(string, low, high):
        if match[0] in tree:
            end = _longest(tree, string, match.start(), high)
            if end is not None:
                yield match.start(), end


def _longest(tree: _Tree, string: str, start: int, high: int) -> int | None:
    """Where the longest form ends that starts at a place and ends with a word; None without."""
    at, end = start, None
    node: _Tree | None = tree
    while node is not None:
        if _END in node and not (at < high and (string[at].isalnum() or string[at] == "_")):
            end = at
        if at >= high:
            break
        letter = string[at]
        if letter in " \n" and (space := _GAP.match(string, at, high)):
            node, at = node.get(" "), space.end()
        else:
            node, at = node.get(letter), at + 1
    return end


def _compile(whole: _Tree, solid: _Tree, prefixed: tuple[_Tree, _Tree]) -> re.Pattern[str] | None:
    # Each branch starts with a literal and looks behind only after it: that lets `re` skip
    # from one possible first letter to the next.
    prefixes, inner = prefixed
    branches = []
    for first in sorted({*whole, *solid, *(prefixes if inner else ())}):
        options = []
        if first in whole:
            options.append(_pattern(whole[first]) + r"(?!\w)")
        if first in solid:
            options.append(_pattern(solid[first]) + _SOLID_TAIL)
        if inner and first in prefixes:
            options.append(f"{_pattern(prefixes[first])}({_pattern(inner)})(?!\\w)")
        letter = re.escape(first)
        branches.append(rf"{letter}(?<!\w{letter})(?:{'|'.join(options)})")
    return re.compile("|".join(branches)) if branches else None


def _pattern(tree: _Tree) -> str:
    options = [
        (_SPACE if letter == " " else re.escape(letter)) + _pattern(branch)
        for letter, branch in tree.items()
        if letter != _END
    ]
    if not options:
        return ""
    if len(options) == 1 and _END not in tree:
        return options[0]
    return f"(?:{'|'.join(options)})" + ("?" if _END in tree else "")
