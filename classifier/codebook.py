"""The codebook: targets, variables and labels, read from TOML and checked."""

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from classifier.errors import CodebookError, brief, in_words
from classifier.files import toml_text, write_text
from classifier.records import OPTIONAL_KINDS, MentionKind


def only_keys(entry: Mapping[str, Any], allowed: set[str], where: str) -> None:
    """Refuse keys that mean nothing there."""
    unknown = sorted(set(entry) - allowed)
    if unknown:
        raise CodebookError(f"{where} allows the keys {', '.join(sorted(allowed))}; got {unknown}")


def table_of(
    entry: Mapping[str, Any], key: str, where: str, *, required: bool = True
) -> Mapping[str, Any]:
    """A sub-table; empty if it may be left out and is."""
    value = entry.get(key, None if required else {})
    if not isinstance(value, Mapping):
        raise CodebookError(f"{where} needs a table {key!r}, got {value!r}")
    return value


def text_of(entry: Mapping[str, Any], key: str, where: str) -> str:
    """A string that says something."""
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise CodebookError(f"{where} needs a non-empty {key!r}, got {value!r}")
    return value


def strings_of(values: object, where: str) -> tuple[str, ...]:
    """A list of strings that say something, each once."""
    if not isinstance(values, list) or not all(isinstance(v, str) and v.strip() for v in values):
        raise CodebookError(f"{where} must be a list of non-empty strings, got {values!r}")
    no_repeats(values, where)
    return tuple(values)


def no_repeats(names: Iterable[str], where: str) -> None:
    """Refuse names that come more than once."""
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        raise CodebookError(f"{where} must differ, got {repeated} more than once")


VariableKind = Literal["ordinal", "nominal", "set"]
_KINDS: tuple[VariableKind, ...] = ("ordinal", "nominal", "set")
ANY_TARGET = "any"
_KEYS = {"name", "version", "targets", "mention_kinds", "variables", "recodes", "counterparts"}


@dataclass(frozen=True)
class Label:
    """One answer that a variable allows."""

    name: str
    definition: str
    number: float | None = None
    """Place on the scale of an ordinal variable; None for the other kinds."""
    counterparts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What other schemes call it: `{"newsmtsc": ("2",)}`."""


@dataclass(frozen=True)
class Variable:
    """One question that is answered at every mention."""

    name: str
    kind: VariableKind
    definition: str
    labels: tuple[Label, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Label names in codebook order, which is the order of every probability column."""
        return tuple(label.name for label in self.labels)

    @property
    def probability_columns(self) -> tuple[str, ...]:
        """What a table of predictions calls the probability of each label, in codebook order."""
        return tuple(f"p_{self.name}_{name}" for name in self.names)

    @property
    def numbers(self) -> tuple[float, ...]:
        """The labels' numbers in codebook order; raises `CodebookError` unless ordinal."""
        numbers = tuple(label.number for label in self.labels if label.number is not None)
        if len(numbers) != len(self.labels):
            raise CodebookError(f"variable {self.name!r} is {self.kind}: it has no numbers")
        return numbers

    def index(self, name: str) -> int:
        """Place of a label in codebook order; raises `CodebookError` if it is none of them."""
        try:
            return self.names.index(name)
        except ValueError:
            known = ", ".join(self.names)
            raise CodebookError(
                f"variable {self.name!r} has the labels {known}; got {name!r}"
            ) from None

    def counterpart(self, scheme: str, code: str) -> str:
        """Our label for another scheme's code; raises `CodebookError` if there is none.

        >>> Variable("voice", "nominal", "", (Label("author", "", None, {"x": ("A",)}),)
        ...     ).counterpart("x", "A")
        'author'
        """
        for label in self.labels:
            if code in label.counterparts.get(scheme, ()):
                return label.name
        raise CodebookError(f"variable {self.name!r} has no counterpart for {scheme} code {code!r}")


@dataclass(frozen=True)
class Target:
    """A country (or any entity) that stances are about."""

    name: str
    """Short and stable: "TR"."""
    title: str
    """For people to read: "Turkey"."""
    lexicon: str | None = None
    """Name of a shipped lexicon, or of a file ending in .toml; None for `aliases` only."""
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Further names per language."""


@dataclass(frozen=True)
class Codebook:
    """Targets and variables, with the version under which they were applied."""

    name: str
    version: str
    targets: tuple[Target, ...]
    """Empty if any entity may be a target."""
    variables: tuple[Variable, ...]
    recodes: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """Old version -> variable -> old label -> new label."""
    counterparts: Mapping[str, str] = field(default_factory=dict)
    """What others call our labels, with `*` and `?` for any letters: `{"negative":
    "unfavourable"}`. Read where labels come from elsewhere."""
    mention_kinds: tuple[MentionKind, ...] = ()
    """Which of `OPTIONAL_KINDS` count as mentions, beside the kinds that always do."""

    def __repr__(self) -> str:
        """Name, version, variables and targets; the rest is in its file."""
        variables = ", ".join(f"{variable.name} ({variable.kind})" for variable in self.variables)
        targets = ", ".join(self.target_names) or "any entity"
        return f"Codebook {self.name!r} {self.version}: {variables}; targets: {targets}"

    @property
    def any_target(self) -> bool:
        """Whether annotations may name any entity as their target."""
        return not self.targets

    @property
    def target_names(self) -> tuple[str, ...]:
        """The targets' names in codebook order."""
        return tuple(target.name for target in self.targets)

    def accepts_target(self, name: str) -> bool:
        """Whether an annotation may name this target."""
        return bool(name) and (self.any_target or name in self.target_names)

    def variable(self, name: str) -> Variable:
        """The variable of that name; raises `CodebookError` if there is none."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        known = ", ".join(variable.name for variable in self.variables)
        raise CodebookError(f"the codebook has the variables {known}; got {name!r}")

    def has_variable(self, name: str) -> bool:
        """Whether the codebook asks this question."""
        return any(variable.name == name for variable in self.variables)


def read_codebook(path: Path | str) -> Codebook:
    """Read and check a codebook.

    Args:
        path: A .toml file. A target's own lexicon ("x.toml") is looked for beside it.

    Returns:
        Targets and variables with their labels.

    Raises:
        CodebookError: it is not there or malformed; the message names the place.

    >>> read_codebook(shipped_annotations() / "codebook.toml").target_names
    ('TR', 'RU', 'UA')
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise CodebookError(
            f"{brief(path)}: a codebook was required there, nothing was found"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CodebookError(f"{path}: a codebook must be UTF-8 TOML: {in_words(error)}") from None
    try:
        codebook = parse_codebook(data)
    except CodebookError as error:
        raise CodebookError(f"{path}: {in_words(error)}") from None
    return _with_lexicons(codebook, lambda own: str(path.parent.resolve() / own))


def write_codebook(codebook: Codebook, path: Path) -> None:
    """Write a codebook as TOML that reads back as the same codebook.

    A target's own lexicon is copied beside it, so that the folder can be moved.
    """

    def copied(own: Path) -> str:
        if own.is_file() and own.resolve() != (path.parent / own.name).resolve():
            write_text(path.parent / own.name, [own.read_text(encoding="utf-8")])
        return own.name if own.is_file() else str(own)

    write_text(path, [toml_text(_record(_with_lexicons(codebook, copied)))])


def _with_lexicons(codebook: Codebook, named: Callable[[Path], str]) -> Codebook:
    """The codebook with its targets' own lexicons under other names."""
    targets = (
        replace(target, lexicon=named(Path(target.lexicon)))
        if target.lexicon and target.lexicon.endswith(".toml")
        else target
        for target in codebook.targets
    )
    return replace(codebook, targets=tuple(targets))


@cache
def default_codebook() -> Codebook:
    """The shipped codebook: stance, roles and voice towards Turkey, Russia and Ukraine."""
    return read_codebook(shipped_annotations() / "codebook.toml")


def shipped_annotations() -> Path:
    """Folder with the shipped codebook, manual and sample, in a checkout and in a wheel alike."""
    package = Path(str(resources.files("classifier")))
    installed = package / "data" / "annotations"
    return installed if installed.is_dir() else package.parent / "annotations"


def parse_codebook(data: Mapping[str, Any]) -> Codebook:
    """Check a codebook that was read from TOML; raises `CodebookError` at the first fault."""
    only_keys(data, _KEYS, "the codebook")
    variables = tuple(
        _variable(name, entry)
        for name, entry in table_of(data, "variables", "the codebook").items()
    )
    if not variables:
        raise CodebookError("a codebook needs at least one variable, got none")
    return Codebook(
        name=text_of(data, "name", "the codebook"),
        version=text_of(data, "version", "the codebook"),
        targets=_targets(data),
        variables=variables,
        recodes=_recodes(data, variables),
        counterparts=_counterparts(data, variables),
        mention_kinds=_mention_kinds(data),
    )


def _record(codebook: Codebook) -> dict[str, Any]:
    plain = asdict(codebook)
    targets = {target.pop("name"): target for target in plain["targets"]}
    variables = {variable.pop("name"): variable for variable in plain["variables"]}
    kinds = plain.pop("mention_kinds")
    optional = {"mention_kinds": list(kinds)} if kinds else {}
    return {**plain, "targets": targets or ANY_TARGET, **optional, "variables": variables}


def _targets(data: Mapping[str, Any]) -> tuple[Target, ...]:
    if data.get("targets") == ANY_TARGET:
        return ()
    entries = table_of(data, "targets", "the codebook")
    if not entries:
        raise CodebookError(
            'a codebook needs at least one target, got none; write targets = "any" '
            "where any entity may be one"
        )
    return tuple(_target(name, entry) for name, entry in entries.items())


def _mention_kinds(data: Mapping[str, Any]) -> tuple[MentionKind, ...]:
    named = strings_of(data.get("mention_kinds", []), "mention_kinds of the codebook")
    unknown = sorted(set(named) - set(OPTIONAL_KINDS))
    if unknown:
        raise CodebookError(
            f"mention_kinds may be {', '.join(OPTIONAL_KINDS)}; the others always count; "
            f"got {unknown}"
        )
    return tuple(kind for kind in OPTIONAL_KINDS if kind in named)


def _target(name: str, entry: Mapping[str, Any]) -> Target:
    where = f"target {name!r}"
    only_keys(entry, {"title", "lexicon", "aliases"}, where)
    aliases = {
        language: strings_of(names, f"aliases of {where} in {language!r}")
        for language, names in table_of(entry, "aliases", where, required=False).items()
    }
    lexicon = text_of(entry, "lexicon", where) if "lexicon" in entry else None
    if lexicon is None and not any(aliases.values()):
        raise CodebookError(f"{where} needs a lexicon or at least one alias, got neither")
    return Target(name, text_of(entry, "title", where), lexicon, aliases)


def _variable(name: str, entry: Mapping[str, Any]) -> Variable:
    where = f"variable {name!r}"
    only_keys(entry, {"kind", "definition", "labels"}, where)
    kind = entry.get("kind")
    if kind not in _KINDS:
        raise CodebookError(f"{where} needs a kind out of {', '.join(_KINDS)}, got {kind!r}")
    entries = entry.get("labels")
    if not isinstance(entries, list) or len(entries) < (1 if kind == "set" else 2):
        raise CodebookError(f"{where} needs a list of labels ([[variables.{name}.labels]])")
    labels = tuple(_label(label, kind, where) for label in entries)
    no_repeats((label.name for label in labels), f"labels of {where}")
    variable = Variable(name, kind, text_of(entry, "definition", where), labels)
    if kind == "ordinal" and list(variable.numbers) != sorted(set(variable.numbers)):
        raise CodebookError(f"{where} is ordinal: its numbers must rise, got {variable.numbers}")
    return variable


def _label(entry: Mapping[str, Any], kind: VariableKind, where: str) -> Label:
    name = text_of(entry, "name", f"a label of {where}")
    where = f"label {name!r} of {where}"
    only_keys(entry, {"name", "definition", "number", "counterparts"}, where)
    number = entry.get("number")
    if (kind == "ordinal") != isinstance(number, int | float):
        rule = "needs a number" if kind == "ordinal" else "takes no number"
        raise CodebookError(f"{where} {rule}, got {number!r}")
    counterparts = {
        scheme: strings_of(codes, f"counterparts of {where} in {scheme!r}")
        for scheme, codes in table_of(entry, "counterparts", where, required=False).items()
    }
    definition = text_of(entry, "definition", where)
    return Label(name, definition, None if number is None else float(number), counterparts)


def _recodes(
    data: Mapping[str, Any], variables: tuple[Variable, ...]
) -> dict[str, dict[str, dict[str, str]]]:
    recodes = table_of(data, "recodes", "the codebook", required=False)
    known = {variable.name: variable for variable in variables}
    for version, changes in recodes.items():
        for name, renames in changes.items():
            if name not in known:
                raise CodebookError(f"recodes from {version!r} name the unknown variable {name!r}")
            for new in renames.values():
                known[name].index(new)
    return {version: dict(changes) for version, changes in recodes.items()}


def _counterparts(data: Mapping[str, Any], variables: tuple[Variable, ...]) -> dict[str, str]:
    counterparts = table_of(data, "counterparts", "the codebook", required=False)
    labels = {name for variable in variables for name in variable.names}
    for theirs, ours in counterparts.items():
        if ours not in labels:
            raise CodebookError(
                f"counterparts must lead to labels of the codebook ({', '.join(sorted(labels))}); "
                f"{theirs!r} leads to {ours!r}"
            )
    return dict(counterparts)
