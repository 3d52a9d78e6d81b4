"""WebAnno TSV 3: a token per line, a column per feature, as INCEpTION and WebAnno export it.

Offsets are UTF-16 units. What lies between sentences is not stored: it is filled with spaces, so
that every offset keeps its place.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from classifier.errors import DataError
from classifier.formats.codes import Code
from classifier.formats.foreign import Link

_TOKEN = re.compile(r"(\d+-\d+(?:\.\d+)?)\t(\d+)-(\d+)\t(.*)")
_VALUE = re.compile(r"(.*?)(?<!\\)\[(\d+)\]", re.S)
_SOURCE = re.compile(r"(\d+-\d+(?:\.\d+)?)(?:\[(\d+)_(\d+)\])?")
_NONE, _NO_VALUE, _BACK = "_", "*", "BT_"


@dataclass(frozen=True)
class Layer:
    """A layer of the header: the columns it takes and what they hold."""

    name: str
    features: tuple[str, ...]
    first_column: int
    kind: str
    """SP for spans, RL for relations, CH for chains."""

    @property
    def n_columns(self) -> int:
        """A layer without features takes one column too; a chain takes two."""
        return 2 if self.kind == "CH" else max(1, len(self.features))


@dataclass
class TsvSpan:
    """An annotation that may run over several tokens; offsets in UTF-16 units."""

    start: int
    end: int
    codes: list[Code] = field(default_factory=list)


@dataclass
class TsvDocument:
    """What a file holds: its text, and spans by a key that relations use."""

    text: str
    spans: dict[str, TsvSpan]
    links: list[Link]


def parse_tsv(content: str) -> TsvDocument:
    """Read a file; raises `DataError` where it is no WebAnno TSV 3."""
    lines = content.split("\n")
    if not lines[0].startswith("#FORMAT=WebAnno TSV 3"):
        raise DataError(f"the first line must be #FORMAT=WebAnno TSV 3.x, got {lines[0]!r:.60}")
    layers = list(_layers(lines))
    document = TsvDocument("", {}, [])
    back: list[tuple[str, Layer, str, list[str]]] = []
    for token, start, end, cells in _rows(lines, sum(layer.n_columns for layer in layers)):
        for layer in layers:
            mine = cells[layer.first_column : layer.first_column + layer.n_columns]
            if layer.kind == "SP":
                _add_spans(document.spans, layer, token, (start, end), mine)
            elif layer.kind == "RL" and mine[-1] != _NONE:
                back.append((token, layer, mine[-1], mine[:-1]))
    for token, layer, sources, features in back:
        document.links += _relations(document.spans, layer, token, sources, features)
    document.text = _text(lines)
    return document


def _layers(lines: list[str]) -> Iterator[Layer]:
    column = 0
    for line in lines:
        match = re.fullmatch(r"#T_(SP|RL|CH)=([^|\r]*)\|?(.*?)\r?", line)
        if match:
            kind, name, features = match.groups()
            names = tuple(feature for feature in features.split("|") if feature)
            layer = Layer(name, names, column, kind)
            yield layer
            column += layer.n_columns


def _rows(lines: list[str], n_columns: int) -> Iterator[tuple[str, int, int, list[str]]]:
    for number, line in enumerate(lines, 1):
        line = line.removesuffix("\r")
        if not line or line.startswith("#"):
            continue
        match = _TOKEN.fullmatch(line)
        cells = match[4].split("\t")[1:] if match else []
        if match is None or not n_columns <= len(cells) <= n_columns + 1:
            raise DataError(
                f"line {number}: a token with {n_columns} columns was required: {line!r}"
            )
        yield match[1], int(match[2]), int(match[3]), cells


def _add_spans(
    spans: dict[str, TsvSpan],
    layer: Layer,
    token: str,
    place: tuple[int, int],
    cells: list[str],
) -> None:
    """Add the layer's annotations on a token: stacked ones part their values by a bar."""
    stacks = [re.split(r"(?<!\\)\|", cell) for cell in cells]
    names = layer.features or ("",)
    for n in range(max(map(len, stacks))):
        for name, stack in zip(names, stacks, strict=False):
            value = stack[n] if n < len(stack) else _NONE
            if value == _NONE:
                continue
            value, key = _value(value, layer, token, n)
            span = spans.setdefault(key, TsvSpan(*place))
            span.start, span.end = min(span.start, place[0]), max(span.end, place[1])
            parts = re.split(r"(?<!\\);", value) if value != _NO_VALUE else []
            codes = [(name, _unescaped(part)) for part in parts]
            span.codes += [code for code in codes if code not in span.codes]


def _value(cell: str, layer: Layer, token: str, n: int) -> tuple[str, str]:
    """The value and the key of its annotation: its number, or else its token."""
    match = _VALUE.fullmatch(cell)
    if match:
        return match[1], _key(layer.name, match[2])
    return cell, _key(layer.name, f"{token} {n}")


def _key(layer: str, number: str) -> str:
    return f"{layer} {number}"


def _relations(
    spans: Mapping[str, TsvSpan], layer: Layer, token: str, sources: str, features: list[str]
) -> Iterator[Link]:
    """Relations that end at a token, from the tokens that its last column names."""
    base = layer.features[-1].removeprefix(_BACK)
    labels = [re.split(r"(?<!\\)\|", cell) for cell in features]
    for n, source in enumerate(sources.split("|")):
        match = _SOURCE.fullmatch(source)
        if match is None:
            raise DataError(f"a relation must name a token such as 1-2[1_0], got {source!r}")
        ends = [
            _key(base, number if number and number != "0" else f"{at} 0")
            for at, number in ((match[1], match[2]), (token, match[3]))
        ]
        label = next((_unescaped(stack[n]) for stack in labels if n < len(stack)), "")
        if all(end in spans for end in ends):
            yield Link(ends[0], ends[1], label.strip("*_"))


def _unescaped(value: str) -> str:
    marks = {"t": "\t", "n": "\n", "r": "\r"}
    return re.sub(r"\\(.)", lambda match: marks.get(match[1], match[1]), value, flags=re.S)


def _text(lines: list[str]) -> str:
    """The sentences at their offsets, in a text of spaces."""
    units = bytearray()
    sentence: list[str] = []
    for line in lines:
        if line.startswith("#Text="):
            sentence.append(_unescaped(line.removeprefix("#Text=").removesuffix("\r")))
        match = _TOKEN.fullmatch(line.removesuffix("\r"))
        if match and sentence:
            text = "\n".join(sentence)
            before = text[: max(0, text.find(_unescaped(match[4].split("\t")[0])))]
            start = int(match[2]) * 2 - len(before.encode("utf-16-le"))
            encoded = text.encode("utf-16-le")
            units.extend(" ".encode("utf-16-le") * ((start - len(units)) // 2))
            units[start : start + len(encoded)] = encoded
            sentence = []
    return units.decode("utf-16-le", "replace")
