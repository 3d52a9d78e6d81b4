"""The small base and the small scorer: six layers that learn from the large scorer.

The base comes first, and only if it is not there. Its layers learn the hidden states of every
second layer of the teacher, on sentences without labels (Sanh et al. 2019; Jiao et al. 2020). They
are packed in four bits. The table of pieces stays as it is. Then matrices, features and heads learn
what the teacher says of mentions, labelled or not. The last stage of `make_scorer` goes on from
there with the labels, and an adapter on the base holds all that changed.
"""

import copy
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from classifier.files import read_json, write_json
from classifier.models import PACKED, RECORD, SCALES, Progress
from classifier.models._bases import PACKED_FILE, SHIPPED, find_base, identity
from classifier.models.encoder._batches import Frame, collate, join
from classifier.models.encoder._model import EncoderModel
from classifier.models.encoder._network import PassageEncoder
from classifier.models.encoder._tokens import Encoded, length_batches, padded
from classifier.records import Passage, PassageMention, Span

N_LAYERS = 6
STEPS = 1360
"""Batches of the first part: some 3.8 million tokens, two thirds of the sentences."""
_LONGEST = 256
_TOKENS = 3072
"""Tokens of a batch, padding included."""
_JOINED = 0.15
"""Share of the sentences that are read together, so that longer windows are learnt too."""
_FRAME = Frame(pad_id=0, before=1, after=1)
"""A special token stands before and after each sentence."""
_RATE, _HEADS_RATE = 4e-4, 1.5e-4
_WARMUP = 200
_BLOCK, _HALF, _MIDDLE = 32, 16, 8
_LETTERS = "a-zà-öø-ÿğışçöüа-яёєіїґ'’ʼ"
_CAPITALS = "A-ZÀ-ÖØ-ÞĞİŞÇÖÜА-ЯЁЄІЇҐ"
_NAME = re.compile(
    rf"(?<=[{_LETTERS},;:–—»”\d-] )[{_CAPITALS}][{_LETTERS}{_CAPITALS}-]+"
    rf"(?: [{_CAPITALS}][{_LETTERS}{_CAPITALS}-]+)*"
)
_MOST_NAMES = 4


def named_passages(texts: Sequence[str]) -> list[Passage]:
    """Sentences with the capitalised words in them as mentions, to ask a teacher about."""
    passages = []
    for number, text in enumerate(texts):
        spans = [Span(*found.span()) for found in _NAME.finditer(text)][:_MOST_NAMES]
        whole = Span(0, len(text))
        mentions = tuple(PassageMention(f"{number}:{s.start}", s, whole) for s in spans)
        if mentions:
            passages.append(Passage(str(number), 0, text, "en", mentions))
    return passages


def cut_layers(encoder: Any, n_layers: int = N_LAYERS) -> Any:  # noqa: ANN401
    """A copy of an encoder with evenly chosen layers; the table of pieces is frozen."""
    kept = chosen_layers(len(encoder.encoder.layer), n_layers)
    small = copy.deepcopy(encoder)
    small.encoder.layer = nn.ModuleList([small.encoder.layer[i] for i in kept])
    small.config.num_hidden_layers = n_layers
    small.requires_grad_(False)
    small.encoder.requires_grad_(True)
    return small


def chosen_layers(n: int, n_kept: int) -> list[int]:
    """Which of n layers stay: evenly chosen, the last one among them.

    >>> chosen_layers(12, 6)
    [1, 3, 5, 7, 9, 11]
    """
    return [round((i + 1) * n / n_kept) - 1 for i in range(n_kept)]


def distil_states(
    teacher: Any,  # noqa: ANN401
    student: Any,  # noqa: ANN401
    sentences: Sequence[Sequence[int]],
    steps: int,
    *,
    progress: Progress | None = None,
) -> None:
    """Let the student's layers give the hidden states of the teacher's.

    The loss is the squared difference over the variance of the teacher's states, a half of it for
    every layer and twice for the last one.

    Args:
        teacher: An encoder; its own layers are not changed.
        student: As `cut_layers` gives it.
        sentences: Token ids, special ones included.
        steps: Batches of `_TOKENS` tokens to learn from.
        progress: Called after each step.
    """
    n = len(student.encoder.layer)
    kept = chosen_layers(len(teacher.encoder.layer), n)
    judge = copy.deepcopy(teacher).to(torch.bfloat16).eval()
    student.train()
    optimizer = _optimizer(student.encoder, _RATE)
    for step, batch in enumerate(_sentence_batches(sentences, steps)):
        _set_rate(optimizer, step, steps)
        rows = [Encoded(tuple(one), ()) for one in batch]
        ids, mask = map(torch.from_numpy, padded(rows, student.config.pad_token_id))
        told = {"input_ids": ids, "attention_mask": mask, "output_hidden_states": True}
        with torch.no_grad():
            goal = judge(**told).hidden_states
        with torch.autocast("cpu", dtype=torch.bfloat16):
            own = student(**told).hidden_states
        real = mask.bool()
        pairs = [(own[i + 1][real], goal[kept[i] + 1][real].float()) for i in range(n)]
        parts = [_error(mine, aim, aim.var(dim=0).mean()) for mine, aim in pairs]
        losses = [*(0.5 * part for part in parts[:-1]), 2 * parts[-1]]
        _learn(torch.stack(losses).sum(), student.encoder, optimizer)
        if progress is not None:
            progress(step + 1, steps, f"hidden states, error {parts[-1].item():.3f}")
    student.eval()


def distil_judgements(
    teacher: EncoderModel,
    student: PassageEncoder,
    encoded: Sequence[Encoded],
    *,
    epochs: int = 1,
    seed: int = 1,
    progress: Progress | None = None,
) -> None:
    """Let features and heads of the student say what the teacher's say.

    The loss is the cross-entropy with the teacher's chances, summed over heads, and the error of
    the features as in `distil_states`.
    """
    network, pad = teacher.network, teacher.tokenizer.pad_token_id
    kinds = {name: head["kind"] for name, head in network.config.heads.items()}
    names = [name for name in student.heads if name in kinds]
    rng = np.random.default_rng(seed)
    batches = list(length_batches([len(e) for e in encoded], _TOKENS))
    steps = epochs * len(batches)
    # One batch may hold one mention, whose features have no variance.
    scale = teacher.some_features(encoded).var(dim=0).mean()
    student.train()
    optimizer = _optimizer(student, _HEADS_RATE)
    order = [i for _ in range(epochs) for i in rng.permutation(len(batches))]
    for step, number in enumerate(order):
        _set_rate(optimizer, step, steps)
        batch = collate([encoded[i] for i in batches[number]], pad)
        ids, mask, *places = batch.values()
        both = (places[0], places[1])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            with torch.no_grad():
                goal = network.features(ids, mask, both)
            own = student.features(ids, mask, both)
        losses = [_error(own, goal, scale)]
        for name in names:
            with torch.no_grad():
                said = network.heads[name](goal)
            losses.append(_judgement_loss(student.heads[name](own), said, kinds[name]))
        _learn(torch.stack(losses).sum(), student, optimizer)
        if progress is not None:
            progress(step + 1, steps, f"judgements, error {losses[0].item():.3f}")
    student.eval()


def _judgement_loss(own: Tensor, said: Tensor, kind: str) -> Tensor:
    if kind == "set":
        each = functional.binary_cross_entropy_with_logits(own, said.sigmoid(), reduction="none")
        return each.mean(dim=0).sum()
    return functional.cross_entropy(own, said.softmax(dim=1))


def _error(own: Tensor, goal: Tensor, scale: Tensor) -> Tensor:
    return (own.float() - goal).pow(2).mean() / scale


def _optimizer(network: nn.Module, rate: float) -> torch.optim.Optimizer:
    learnt = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learnt if p.ndim > 1], "weight_decay": 0.01},
        {"params": [p for p in learnt if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=rate, fused=True)
    for group in optimizer.param_groups:
        group["highest"] = rate
    return optimizer


def _set_rate(optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
    """Rise over the first steps, then fall to nothing in a line."""
    warm = min(1.0, (step + 1) / min(_WARMUP, max(1, steps // 10)))
    for group in optimizer.param_groups:
        group["lr"] = group["highest"] * warm * (1 - step / steps)


def _learn(loss: Tensor, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def _sentence_batches(
    sentences: Sequence[Sequence[int]], steps: int, seed: int = 1
) -> Iterator[list[Sequence[int]]]:
    """Batches of similar length in random order, some of their sentences read together."""
    rng = np.random.default_rng(seed)
    given = 0
    while given < steps:
        order = rng.permutation(len(sentences))
        for at in range(0, len(order), 4096):
            members = _some_together([sentences[i] for i in order[at : at + 4096]], rng)
            batches = list(length_batches([len(one) for one in members], _TOKENS))
            for number in rng.permutation(len(batches)):
                yield [members[i] for i in batches[number]]
                given += 1
                if given == steps:
                    return


def _some_together(
    members: Sequence[Sequence[int]], rng: np.random.Generator
) -> list[Sequence[int]]:
    chosen = rng.random(len(members)) < _JOINED
    alone = [one for one, is_joined in zip(members, chosen, strict=True) if not is_joined]
    rest = [one for one, is_joined in zip(members, chosen, strict=True) if is_joined]
    while rest:
        n = int(rng.integers(2, 6))
        part, rest = rest[:n], rest[n:]
        ids = join([Encoded(tuple(one), ()) for one in part], _FRAME).token_ids
        alone.append([*ids[:-1][:255], ids[-1]])
    return alone


def pack(weights: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Blocks of 32 weights in four bits; `classifier.models._bases.unpack` gives them back.

    Of fifteen scales each block takes the one with the smallest squared error.

    Args:
        weights: rows × width; the width is a multiple of 32.

    Returns:
        rows × width/2 bytes, and rows × width/32 scales.
    """
    blocks = weights.reshape(len(weights), -1, _BLOCK)
    peak = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
    best = np.full(peak.shape, np.inf)
    scales = np.zeros(peak.shape, np.float16)
    halves = np.full(blocks.shape, _MIDDLE, np.uint8)
    for share in np.arange(28, 43) / 40:
        scale = (peak * share / -_MIDDLE).astype(np.float16)
        wide = scale.astype(np.float32)[:, :, None]
        steps = np.divide(blocks, wide, out=np.zeros_like(blocks), where=wide != 0)
        numbers = np.clip(np.rint(steps) + _MIDDLE, 0, 15)
        error = (((numbers - _MIDDLE) * wide - blocks) ** 2).sum(axis=2)
        better = error < best
        best = np.where(better, error, best)
        scales = np.where(better, scale, scales)
        halves[better] = numbers[better]
    packed = halves[:, :, :_HALF] | (halves[:, :, _HALF:] << np.uint8(4))
    return packed.reshape(len(weights), -1).astype(np.uint8), scales


def write_base(student: Any, folder: Path) -> None:  # noqa: ANN401
    """Write an encoder as a base in four bits, with the table of pieces of the base that ships.

    The folder is `classifier/small`; `README.md` beside the weights is written by hand.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = {
        name: tensor
        for name, tensor in load_file(SHIPPED / PACKED_FILE).items()
        if name.startswith("embeddings.")
    }
    for name, tensor in student.state_dict().items():
        if name.startswith("embeddings.") or "pooler" in name:
            continue
        values = tensor.float().numpy()
        if values.ndim == 1:
            kept[name] = np.ascontiguousarray(values)
        else:
            kept[name + PACKED], kept[name + SCALES] = pack(values)
    save_file(kept, folder / PACKED_FILE, metadata={"format": "pt"})
    config = read_json(SHIPPED / "config.json")
    config["num_hidden_layers"] = len(student.encoder.layer)
    write_json(folder / "config.json", config)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(SHIPPED / name, folder / name)


def write_start(network: PassageEncoder, large: Path, base: str, folder: Path) -> None:
    """Write a run folder that training on the small base can start from.

    It has the parts of the run it learnt from, so that nothing held out is learnt.

    Args:
        network: The student with the heads of the large scorer.
        large: Run folder of the large scorer.
        base: Name of the small base.
        folder: Where to write.
    """
    unfit = ("adapter*", "heads.safetensors", "schemes", "README.md", RECORD)
    left_out = shutil.ignore_patterns(*unfit)
    shutil.copytree(large, folder, ignore=left_out, dirs_exist_ok=True)
    network.config.base = identity(find_base(base))
    network.save_pretrained(folder)
    # The record comes last: where it is, the folder is whole.
    record = read_json(large / RECORD)
    record["options"] |= {"adapter": "none", "base_model": base, "start": ""}
    write_json(folder / RECORD, record)


def make_base(
    large: EncoderModel,
    texts: Sequence[str],
    folder: Path,
    steps: int = STEPS,
    *,
    progress: Progress | None = None,
) -> None:
    """Write the small base: layers that give the large scorer's hidden states.

    Args:
        large: The teacher.
        texts: Sentences to learn hidden states from.
        folder: Where to write.
        steps: Batches of sentences to learn from.
        progress: Called after each step.
    """
    torch.manual_seed(1)
    teacher = large.network.encoder
    encoder = cut_layers(teacher)
    tokenizer = large.tokenizer.backend_tokenizer
    sentences = [one.ids[:_LONGEST] for one in tokenizer.encode_batch(list(texts))]
    distil_states(teacher, encoder, sentences, steps, progress=progress)
    write_base(encoder, folder)


def make_student(
    large: EncoderModel,
    encoder: Any,  # noqa: ANN401
    passages: Sequence[Passage],
    *,
    progress: Progress | None = None,
) -> PassageEncoder:
    """A network over the small base that judges as the large scorer does.

    Args:
        large: The teacher, with all heads that the student is to have.
        encoder: The small base. Only its matrices learn, so that an adapter can hold what changed.
        passages: With mentions to ask the teacher about, labelled or not.
        progress: Called after each step.
    """
    torch.manual_seed(1)
    encoder.requires_grad_(False)
    for module in encoder.encoder.modules():
        if isinstance(module, nn.Linear):
            module.weight.requires_grad_(True)
    student = with_heads(large.network, encoder)
    distil_judgements(large, student, large.reader.encoded(passages), progress=progress)
    return student


def with_heads(teacher: PassageEncoder, encoder: Any) -> PassageEncoder:  # noqa: ANN401
    """The encoder with copies of the teacher's heads, which read the same features."""
    config = copy.deepcopy(teacher.config)
    config.encoder["num_hidden_layers"] = len(encoder.encoder.layer)
    config.heads = {name: config.heads[name] for name in teacher.heads}
    student = PassageEncoder(config, encoder)
    kept = {name: head.state_dict() for name, head in teacher.heads.items()}
    for name, head in student.heads.items():
        head.load_state_dict(kept[name])
    return student
