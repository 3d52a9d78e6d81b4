"""Run folders: written whole, read only if unaltered, started from; their folds as one model."""

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np

from classifier.codebook import Codebook, Variable, read_codebook, write_codebook
from classifier.errors import ClassifierError, ModelError, in_words
from classifier.files import is_there, read_json, write_json
from classifier.models._bases import SHIPPED_SCORER, SHIPPED_START
from classifier.models._calibration import Calibration
from classifier.models._protocol import (
    Model,
    Probabilities,
    Progress,
    RuntimeName,
    Trainable,
    TrainOptions,
)
from classifier.predictions import Thresholds
from classifier.records import FOLD_PART, Passage

RECORD, SPLIT, CODEBOOK, CALIBRATION, THRESHOLDS = (
    "training.json",
    "split.json",
    "codebook.toml",
    "calibration.json",
    "thresholds.json",
)
MODEL_CARD = "README.md"
SCHEMES = "schemes"
"""Folder of what published schemes need whose heads a run keeps: a folder for each."""
START_SPLIT = "start_split.json"
"""The parts of the run that training started from, of articles that its own split lacks."""
FORMAT = 2
FOLDS = "folds"
"""Folder in a run with a run per fold, named 1, 2, ..."""
OUT_OF_FOLD = "out_of_fold.parquet"
"""Predictions for the articles of the folds."""
_INDEX = "folds.json"


@dataclass(frozen=True)
class Trained:
    """A model as a run folder holds it."""

    model: Model
    codebook: Codebook
    calibration: Calibration
    thresholds: Thresholds
    record: Mapping[str, Any]
    """What training.json says: options, data, seed, versions, metrics, hashes of the files."""
    model_id: str
    """Name of the folder and the first digits of its record's hash."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """The part of the run's split that each of its articles is in, by article id."""
    folder: Path | None = None
    """Where it was read from."""
    scheme: str = ""
    """The published scheme whose head it applies; empty for the run's own variables."""

    def __repr__(self) -> str:
        """Which model it is; its record has the rest."""
        return f"Trained {self.model_id!r}"


@contextmanager
def replacing_folder(folder: Path, draft: Path) -> Iterator[Path]:
    """Yield an empty draft folder that takes the place of `folder` only on success."""
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    yield draft
    old = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    if folder.exists():
        folder.replace(old)
    draft.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def check_place(folder: Path) -> None:
    """Raise `ModelError` unless nothing would be lost by writing a run there."""
    if folder.exists() and not folder.is_dir():
        raise ModelError(f"{folder} must be a folder to write a run to, but it is a file")
    if folder.exists() and any(folder.iterdir()) and not (folder / RECORD).is_file():
        raise ModelError(
            f"{folder} holds something other than a run (no {RECORD}); name an empty or new folder"
        )


def write_run(
    folder: Path,
    model: Trainable,
    codebook: Codebook,
    applied: tuple[Calibration, Thresholds],
    record: Mapping[str, Any],
    split: Mapping[str, list[str]],
) -> None:
    """Write everything into an existing folder, the record with all hashes last.

    `applied` is what is done to the model's probabilities when they are used.
    """
    calibration, thresholds = applied
    model.save(folder)
    write_codebook(codebook, folder / CODEBOOK)
    write_json(folder / CALIBRATION, calibration.to_dict())
    write_json(folder / THRESHOLDS, thresholds.to_dict())
    write_json(folder / SPLIT, split)
    files = {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {RECORD, MODEL_CARD}
    }
    write_json(folder / RECORD, {"format": FORMAT, **record, "files": files})


def read_record(folder: Path) -> dict[str, Any]:
    """What training.json says; raises `ModelError` unless this is a run folder."""
    try:
        record = read_json(folder / RECORD)
    except FileNotFoundError:
        raise ModelError(
            f"{folder} must be a run folder, but it has no {RECORD}; "
            "train a model first (classifier train DIR --out RUN)"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{folder / RECORD} must be JSON: {in_words(error)}") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ModelError(f"{folder / RECORD} must have format {FORMAT}; train again")
    return record


def read_split(folder: Path) -> dict[str, list[str]]:
    """Part -> ids of the articles that the run's split put there."""
    split: dict[str, list[str]] = read_json(folder / SPLIT)
    return split


def _parts(folder: Path) -> dict[str, str]:
    """The part that an article is in, of the run or of the one it started from."""
    place = folder / START_SPLIT
    before = read_json(place) if place.is_file() else {}
    own = read_split(folder)
    return {
        name: part for split in (before, own) for part, names in split.items() for name in names
    }


def read_run(folder: Path, runtime: RuntimeName = "auto", scheme: str = "") -> Trained:
    """Load a run, or the head that it has for a published scheme, under that scheme's codebook.

    Raises `ModelError` if it is none, has no such head, or if any of its files was altered.
    """
    record = read_record(folder)
    _check_files(folder, record)
    place, heads = folder, dict[str, str]()
    if scheme:
        record, head = _record_of_scheme(folder, record, scheme)
        place, heads = folder / SCHEMES / scheme, {record["variables"][0]: head}
    codebook = read_codebook(place / CODEBOOK)
    variables = tuple(codebook.variable(name) for name in record["variables"])
    options = TrainOptions(
        **{**record["options"], "variables": tuple(record["options"]["variables"])}
    )
    calibration = read_json(place / CALIBRATION)
    thresholds = read_json(place / THRESHOLDS)
    model_id = f"{folder.resolve().name}@{sha256(folder / RECORD)[:12]}"
    return Trained(
        load_model(folder, variables, options, runtime, heads),
        codebook,
        Calibration.from_dict(calibration),
        Thresholds.from_dict(thresholds),
        record,
        f"{model_id}, scheme {scheme}" if scheme else model_id,
        _parts(folder),
        folder,
        scheme,
    )


def _record_of_scheme(
    folder: Path, record: Mapping[str, Any], scheme: str
) -> tuple[dict[str, Any], str]:
    """The record as it holds for a scheme's head, and the name of the head."""
    known: Mapping[str, Any] = record.get("schemes", {})
    if scheme not in known:
        kept = ", ".join(known) or "none"
        raise ModelError(
            f"{folder.resolve().name} has heads for the schemes: {kept}; got {scheme!r}: name one "
            "of these, or leave --scheme (scheme) out for the run's own codebook"
        )
    told = known[scheme]
    own = {key: told[key] for key in ("variables", "metrics", "languages")}
    return {**record, **own}, str(told["head"])


def new_model(variables: tuple[Variable, ...], options: TrainOptions) -> Trainable:
    """An unfitted model of the wished kind."""
    if options.model == "linear":
        from classifier.models._linear import LinearModel

        return LinearModel(variables, options)
    check_torch("training an encoder")
    from classifier.models.encoder._model import new_encoder

    return new_encoder(variables, options)


def has_torch() -> bool:
    """Whether PyTorch is installed; an installation that only scores leaves it out."""
    try:
        return util.find_spec("torch") is not None
    except (ImportError, ValueError):
        return False


def check_torch(what: str) -> None:
    """Raise `ModelError`, saying what needs PyTorch, unless it is installed."""
    if not has_torch():
        raise ModelError(
            f"{what} needs PyTorch and transformers, which this installation leaves out: "
            "pip install stance-framing-classifier"
        )


def _runs_plain(folder: Path) -> bool:
    """Whether an encoder is like BERT and computed by the processors, without an accelerator."""
    from classifier.models.runtime._numpy import is_bert
    from classifier.models.runtime._torch import best_device

    config = read_json(folder / "config.json")
    return is_bert(config["encoder"]) and best_device().type == "cpu"


def load_model(
    folder: Path,
    variables: tuple[Variable, ...],
    options: TrainOptions,
    runtime: RuntimeName,
    heads: Mapping[str, str],
) -> Model:
    """The fitted model in a folder; raises `ModelError` if it cannot be read or run so.

    `heads` names the head of a variable if that bears another name.
    """
    try:
        if options.model == "linear":
            if runtime == "numpy":
                raise ModelError(f"a linear model needs no runtime, got {runtime}; leave it out")
            from classifier.models._linear import load_linear

            return load_linear(folder, variables, options)
        if runtime == "numpy" or (runtime == "auto" and not has_torch()):
            from classifier.models.encoder._plain import load_plain

            return load_plain(folder, variables, options, heads)
        check_torch(f"the runtime {runtime}")
        if _runs_plain(folder):
            from classifier.models.encoder._plain import load_plain

            return load_plain(folder, variables, options, heads, torch=True)
        from classifier.models.encoder._model import load_encoder

        return load_encoder(folder, variables, options, heads)
    except ClassifierError:
        raise
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"{folder}: the model cannot be read: {in_words(error)}; copy the folder again or "
            "train again"
        ) from error


def _check_files(folder: Path, record: Mapping[str, Any]) -> None:
    for name, expected in record["files"].items():
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{folder} lacks {name}, which the run was saved with; train it again")
        if sha256(path) != expected:
            raise ModelError(
                f"{path} is not the file that the run was saved with (its hash in {RECORD} "
                "differs); copy the run folder again or train again"
            )


def sha256(path: Path) -> str:
    """Hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Start:
    """A run that training starts from, without its weights."""

    name: str
    """"shipped", or the name of its folder."""
    folder: Path
    record: Mapping[str, Any]
    """What its training.json says."""
    split: Mapping[str, list[str]]
    """Part -> article ids; those it has learnt from must not judge what is learnt from there."""
    heads: Mapping[str, Mapping[str, Any]]
    """Per variable its kind and labels."""
    base: Mapping[str, str]
    """Name and hashes of its base."""

    @property
    def model_id(self) -> str:
        """As `Trained.model_id`."""
        return f"{self.folder.resolve().name}@{sha256(self.folder / RECORD)[:12]}"

    def told(self, variables: Sequence[Variable]) -> dict[str, Any]:
        """What a record says of it: which heads are taken over, and which are new."""
        names = [variable.name for variable in variables]
        return {
            "name": self.name,
            "model_id": self.model_id,
            "heads_taken_over": [name for name in names if name in self.heads],
            "heads_new": [name for name in names if name not in self.heads],
        }


def find_start(options: TrainOptions) -> Start | None:
    """The run that these options start from; None if they start from a base.

    Raises:
        ModelError: there is no such run, it is no encoder, or its base is not the one that the
            options name.
    """
    if not options.start:
        return None
    if options.model != "encoder":
        raise ModelError(
            f"only an encoder starts from a run, got a {options.model} model and "
            f"{options.start!r}: leave --from (start) out"
        )
    shipped = options.start == SHIPPED_START
    folder = SHIPPED_SCORER if shipped else Path(options.start)
    if not (is_there(folder) and folder.is_dir()):
        raise ModelError(
            f"training starts from {SHIPPED_START!r} or a run folder, got {options.start!r}, "
            "which is not there: train it first, or leave --from (start) out"
        )
    record = read_record(folder)
    if record["options"]["model"] != "encoder":
        raise ModelError(
            f"training starts from an encoder, {folder} is a linear model: name another run, or "
            "leave --from (start) out"
        )
    config = read_json(folder / "config.json")
    base = config["base"]
    if options.base_model not in ("", base["name"]):
        raise ModelError(
            f"a run brings its base along: {options.start!r} was trained on {base['name']!r}, got "
            f"base_model {options.base_model!r}: leave one of the two out"
        )
    name = SHIPPED_START if shipped else folder.resolve().name
    return Start(name, folder, record, read_split(folder), config["heads"], base)


def check_heads(start: Start, variables: Sequence[Variable]) -> None:
    """Raise `ModelError` if a variable has another kind or other labels in the run."""
    for variable in variables:
        head = start.heads.get(variable.name)
        if head is None:
            continue
        here = f"{variable.kind} with {', '.join(variable.names)}"
        there = f"{head['kind']} with {', '.join(head['labels'])}"
        if here != there:
            raise ModelError(
                f"variable {variable.name!r} must be the same as in {start.name!r}, where it is "
                f"{there}; the codebook has {here}: give it another name to learn it anew, or "
                "leave --from (start) out"
            )


@dataclass
class FoldedModel:
    """One model per fold; a passage is judged by one that was trained without its article.

    An article of no fold is judged by one of the models, chosen by the hash of its id. Then coded
    and other articles are judged alike, which is what a corrected mean rests on. Zrnic and Candès
    (2024, "Cross-prediction-powered inference") average the models over the other articles. One
    model each costs a fraction of that and covers as well, see benchmarks/intervals/coverage.py.
    The model trained on all articles must not judge the others instead: its mean error would not
    cancel.
    """

    variables: tuple[Variable, ...]
    options: TrainOptions
    members: tuple[Trained, ...]
    fold_of: Mapping[str, int]
    """Article id -> number of its fold, from 0; for the articles that were trained on."""

    @property
    def runtime(self) -> str:
        """What computes the first model, and so all of them."""
        return self.members[0].model.runtime

    @property
    def text_limit(self) -> int:
        """Most tokens of text that one passage may hold."""
        return min(member.model.text_limit for member in self.members)

    def token_starts(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """Where the tokens of each text begin."""
        return self.members[0].model.token_starts(texts)

    def fold(self, article_id: str) -> int:
        """The model that judges an article, from 0."""
        known = self.fold_of.get(article_id)
        digest = hashlib.sha256(article_id.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % len(self.members) if known is None else known

    def predict(
        self, passages: Sequence[Passage], *, progress: Progress | None = None
    ) -> Probabilities:
        """Calibrated probabilities for every mention, each model's by its own calibration."""
        folds = [self.fold(passage.article_id) for passage in passages]
        owner = np.repeat(folds, [len(passage.mentions) for passage in passages])
        result = {v.name: np.full((len(owner), len(v.names)), np.nan) for v in self.variables}
        for number, member in enumerate(self.members):
            own = [p for p, fold in zip(passages, folds, strict=True) if fold == number]
            if not own:
                continue
            raw = member.model.predict(own, progress=progress)
            spoken = [passage.language for passage in own for _ in passage.mentions]
            for name, rows in member.calibration.apply(raw, self.variables, spoken).items():
                result[name][owner == number] = rows
        return result


def write_folds(run: Path, folds: Sequence[Sequence[str]]) -> None:
    """Note which articles are in which fold, beside the models, which must be there already."""
    index = {
        "run": sha256(run / RECORD),
        "models": [sha256(run / FOLDS / str(k + 1) / RECORD) for k in range(len(folds))],
        "articles": [list(fold) for fold in folds],
    }
    write_json(run / FOLDS / _INDEX, index)


def read_folds(run: Path, runtime: RuntimeName = "auto") -> Trained:
    """The models of a run's folds as one; `parts` names the fold of each of their articles.

    Raises `ModelError` if the run has no folds, or if one of its models was altered.
    """
    whole, place = read_run(run, runtime), run / FOLDS / _INDEX
    if not place.is_file():
        raise ModelError(f"{run} has no folds; train it with them (classifier train --folds K)")
    index = read_json(place)
    folders = [run / FOLDS / str(k + 1) for k in range(len(index["articles"]))]
    found = [sha256(folder / RECORD) for folder in folders if (folder / RECORD).is_file()]
    if [sha256(run / RECORD), *found] != [index["run"], *index["models"]]:
        raise ModelError(f"{run}: the folds are not those of this run; train again with --folds")
    members = tuple(read_run(folder, runtime) for folder in folders)
    fold_of = {name: k for k, names in enumerate(index["articles"]) for name in names}
    model = FoldedModel(whole.model.variables, whole.model.options, members, fold_of)
    parts = {name: f"{FOLD_PART}{k + 1} of {len(members)}" for name, k in fold_of.items()}
    # What its publisher keeps in one part shaped every model.
    published = {
        name: part
        for name, part in whole.parts.items()
        if all(name in member.parts for member in members)
    }
    return replace(
        whole,
        model=model,
        calibration=Calibration({}),
        model_id=f"{whole.model_id}, {len(members)} folds",
        parts=published | parts,
    )
