"""Weights in four bits on disk, unpacked into an ordinary folder when they are first used."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from classifier.errors import ModelError

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
    halves = np.concatenate([blocks & 15, blocks >> 4], axis=2).astype(np.float32) - _MIDDLE
    rows: NDArray[np.float32] = halves * scales.astype(np.float32)[:, :, None]
    return rows.reshape(len(scales), -1)


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
    plain = _unpacked(folder / PACKED_FILE)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
        others = (path for path in folder.iterdir() if path.is_file() and path.name != PACKED_FILE)
        for path in others:
            shutil.copyfile(path, draft / path.name)
        save_file(plain, draft / WEIGHTS_FILE, metadata={"format": "pt"})
    except OSError as error:
        raise ModelError(
            f"{place}: the base could not be unpacked there ({error}); make room, or name another "
            "folder in CLASSIFIER_CACHE"
        ) from error
    try:
        draft.rename(place)
    except OSError:  # another process was faster; its copy is the same
        shutil.rmtree(draft, ignore_errors=True)
        if not place.is_dir():
            raise


def _unpacked(file: Path) -> dict[str, NDArray[np.generic]]:
    try:
        weights = load_file(file)
    except SafetensorError as error:
        raise ModelError(
            f"{file} must hold packed weights, it cannot be read ({error}); "
            "install the package again"
        ) from None
    plain = {n: w for n, w in weights.items() if not n.endswith((PACKED, SCALES))}
    for name in [n for n in weights if n.endswith(PACKED)]:
        bare = name.removesuffix(PACKED)
        if bare + SCALES not in weights:
            raise ModelError(f"{file} lacks the scales of {bare}; install the package again")
        try:
            plain[bare] = unpack(weights[name], weights[bare + SCALES])
        except ValueError as error:
            raise ModelError(
                f"{file}: the packed weights and the scales of {bare} do not fit ({error}); "
                "install the package again"
            ) from None
    return plain
