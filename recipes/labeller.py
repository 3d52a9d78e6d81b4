"""The network that learns voices and speakers, and how it is trained and written.

The small base reads a text, with an adapter that begins as the strongest part of the scorer's.
A head tells the voice of each token. Two more make numbers of a
stretch that is asked about and of every token; their products point at the first and the last
token of the speaker and of the cue. Where nobody is named they point at the token before the text.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from classifier.files import write_text
from classifier.models import Progress
from classifier.models._bases import SHIPPED_SCORER, SMALL_NAME, find_base, identity
from classifier.models._voice import CONFIG, HEADS, POINTERS, VOICES, Bars
from classifier.models.encoder._model import plain_config
from classifier.models.encoder._tokens import length_batches
from classifier.models.runtime._torch import read_whole
from classifier.records import Span

KINDS = {"author": 0, "attributed": 1, "quoted": 2}
BARS = Bars(report=0.85, keep=0.02, speaker=0.9, no_speaker=0.1)
"""Chosen on development text; `benchmarks/reading/README.md` has the figures."""
RANK = 64
WIDTH = 64
"""Numbers by which a mention and a token are compared, for each end of a name."""
_TOKENS, _LONGEST = 2048, 320
_RATE, _HEAD_RATE, _WARMUP = 5e-4, 2e-3, 30
_DROPOUT = 0.1
_PER_LINK = 2
_TINY = 1e-4
"""Singular values below its square are rounding."""
_UNKNOWN = -100
_NOBODY = (0, 0)
_ADAPTER = "adapter_model.safetensors"
_PREFIX = "base_model.model."
_SPEAKER, _CUE = 0.5, 0.15
"""Weights of what the pointers get wrong beside the voice."""


@dataclass(frozen=True)
class Link:
    """Who says a stretch, and by which words."""

    content: tuple[Span, ...]
    speaker: Span | None
    cue: Span | None
    is_speaker_known: bool = True
    """Whether None as the speaker says that the text names nobody."""


@dataclass(frozen=True)
class MarkedText:
    """A text with the voices that are known in it."""

    text: str
    language: str
    voices: tuple[tuple[Span, int], ...]
    """Outer stretches before those inside them, each with a number of `KINDS`."""
    links: tuple[Link, ...] = ()
    is_whole: bool = False
    """Whether everything else is the author's."""
    weight: float = 1.0


def join_texts(parts: Sequence[MarkedText]) -> MarkedText:
    """Sentences one after another, as a text in which each has its own speakers."""
    text, voices, links = "", [], []
    for part in parts:
        text += " " if text else ""
        at = len(text)
        text += part.text
        voices += [(_moved(span, at), voice) for span, voice in part.voices]
        links += [
            Link(
                tuple(_moved(span, at) for span in link.content),
                link.speaker and _moved(link.speaker, at),
                link.cue and _moved(link.cue, at),
                link.is_speaker_known,
            )
            for link in part.links
        ]
    first = parts[0]
    whole = all(part.is_whole for part in parts)
    return MarkedText(text, first.language, tuple(voices), tuple(links), whole, first.weight)


def _moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)


@dataclass(frozen=True)
class Learnt:
    """A marked text as tokens."""

    ids: tuple[int, ...]
    voices: tuple[int, ...]
    """Voice of each token; `_UNKNOWN` where nobody says."""
    links: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    """Tokens of each content, and the four places that the pointers should find."""
    weight: float

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self.ids)


def as_tokens(marked: MarkedText, encoding: Encoding) -> Learnt:
    """A marked text as the network reads it, cut where it is too long."""
    ids = encoding.ids[:_LONGEST]
    text = marked.text
    places = []
    for start, end in encoding.offsets[: len(ids)]:
        bare = start + len(text[start:end]) - len(text[start:end].lstrip())
        places.append((bare, end))
    voices = [0 if marked.is_whole and end > start else _UNKNOWN for start, end in places]
    for span, voice in marked.voices:
        for i in _tokens_of(places, span):
            voices[i] = voice
    links = []
    for link in marked.links:
        content = tuple(i for span in link.content for i in _tokens_of(places, span))
        goal = (*_ends(places, link.speaker, link.is_speaker_known), *_ends(places, link.cue))
        if content and max(goal) >= 0:
            links.append((content, goal))
    return Learnt(tuple(ids), tuple(voices), tuple(links), marked.weight)


def _tokens_of(places: Sequence[tuple[int, int]], span: Span) -> list[int]:
    return [i for i, (a, b) in enumerate(places) if a < b and a < span.end and span.start < b]


def _ends(
    places: Sequence[tuple[int, int]], span: Span | None, says_nobody: bool = False
) -> tuple[int, int]:
    if span is None:
        return _NOBODY if says_nobody else (_UNKNOWN, _UNKNOWN)
    own = _tokens_of(places, span)
    return (own[0], own[-1]) if own else (_UNKNOWN, _UNKNOWN)


class Adapted(nn.Module):
    """A frozen matrix with a change of low rank that learns (Hu et al. 2022)."""

    def __init__(self, plain: nn.Linear, change: Tensor | None) -> None:
        """Take the matrix, and what the change begins with: its strongest part, or nothing."""
        super().__init__()
        self.plain = plain.to(torch.bfloat16).requires_grad_(False)
        down = torch.randn(RANK, plain.in_features) / plain.in_features**0.5
        up = torch.zeros(plain.out_features, RANK)
        if change is not None:
            # The closest matrix of a rank is what its first singular values make (Eckart and
            # Young 1936).
            left, sizes, right = torch.linalg.svd(change, full_matrices=False)
            root = sizes[:RANK].sqrt()
            rank = int((root > _TINY).sum())
            down[:rank] = root[:rank, None] * right[:rank]
            up[:, :rank] = left[:, :rank] * root[:rank]
        self.down, self.up = nn.Parameter(down), nn.Parameter(up)

    def forward(self, rows: Tensor) -> Tensor:
        """What the matrix and its change make of rows together."""
        change = functional.linear(functional.linear(rows, self.down), self.up)
        made: Tensor = self.plain(rows) + change
        return made


class Labeller(nn.Module):
    """The base with its heads."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        """Take an encoder, and the width of its vectors."""
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleDict(
            {
                "voice": nn.Linear(width, len(VOICES)),
                "query": nn.Linear(width, len(POINTERS) * WIDTH),
                "key": nn.Linear(width, len(POINTERS) * WIDTH),
            }
        )
        self.dropout = nn.Dropout(_DROPOUT)

    def loss(self, batch: Sequence[Learnt], rng: random.Random) -> Tensor:
        """How wrong voices, speakers and cues of some texts are, weighted and added."""
        width = max(map(len, batch))
        ids = torch.ones(len(batch), width, dtype=torch.long)
        mask = torch.zeros(len(batch), width, dtype=torch.long)
        voices = torch.full((len(batch), width), _UNKNOWN)
        for row, one in enumerate(batch):
            ids[row, : len(one)] = torch.tensor(one.ids)
            mask[row, : len(one)] = 1
            voices[row, : len(one)] = torch.tensor(one.voices)
        weights = torch.tensor([one.weight for one in batch])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = self.encoder(input_ids=ids, attention_mask=mask)[0].float()
        hidden = self.dropout(hidden)
        wrong = functional.cross_entropy(
            self.heads["voice"](hidden).flatten(0, 1), voices.flatten(), reduction="none"
        ).view(voices.shape)
        n = (voices >= 0).sum(dim=1)
        shares = weights * (n > 0)
        total = (wrong.sum(dim=1) / n.clamp(min=1) * shares).sum() / shares.sum().clamp(min=1e-3)
        return total + self._pointers_loss(batch, hidden, mask, rng)

    def _pointers_loss(
        self, batch: Sequence[Learnt], hidden: Tensor, mask: Tensor, rng: random.Random
    ) -> Tensor:
        """The same for stretches of one to four tokens out of each content, as if asked about."""
        owners: list[int] = []
        tokens: list[int] = []
        rows: list[int] = []
        goals: list[tuple[int, ...]] = []
        weights: list[float] = []
        for row, one in enumerate(batch):
            for content, goal in one.links:
                for _ in range(_PER_LINK):
                    first = rng.randrange(len(content))
                    part = content[first : first + rng.randint(1, 4)]
                    owners += [len(rows)] * len(part)
                    tokens += [row * hidden.shape[1] + token for token in part]
                    rows.append(row)
                    goals.append(goal)
                    weights.append(one.weight / _PER_LINK)
        if not rows:
            return hidden.new_zeros(())
        own = torch.tensor(owners)
        flat = hidden.flatten(0, 1)[torch.tensor(tokens)]
        pooled = torch.zeros(len(rows), hidden.shape[2]).index_add(0, own, flat)
        pooled = pooled / torch.bincount(own)[:, None]
        of = torch.tensor(rows)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            keys = self.heads["key"](hidden).unflatten(2, (len(POINTERS), WIDTH)).transpose(1, 2)
            query = self.heads["query"](pooled).view(-1, len(POINTERS), 1, WIDTH)
        logits = (keys[of] * query).sum(dim=-1).float() / WIDTH**0.5
        logits = logits.masked_fill(mask[of][:, None, :] == 0, -1e4)
        ends = torch.tensor(goals)
        wrong = functional.cross_entropy(
            logits.flatten(0, 1), ends.flatten(), ignore_index=_UNKNOWN, reduction="none"
        ).view(ends.shape)
        total = hidden.new_zeros(())
        for scale, at in ((_SPEAKER, 0), (_CUE, 2)):
            known = torch.tensor(weights) * (ends[:, at] >= 0)
            parts = wrong[:, at : at + 2].sum(dim=1) * known
            total = total + scale * parts.sum() / known.sum().clamp(min=4)
        return total


def train(
    network: Labeller,
    learnt: Sequence[Learnt],
    steps: int,
    scale: float = 1.0,
    progress: Progress | None = None,
) -> None:
    """Learn for so many batches; the rate rises, then falls to nothing in a line.

    `scale` multiplies the rate.
    """
    rng = random.Random(1)
    body = [p for p in network.encoder.parameters() if p.requires_grad]
    heads = list(network.heads.parameters())
    optimizer = torch.optim.AdamW(
        [{"params": heads, "highest": _HEAD_RATE}, {"params": body, "highest": _RATE}],
        lr=_RATE,
        betas=(0.9, 0.98),
        weight_decay=0.01,
        fused=True,
    )
    network.train()
    done = 0
    while done < steps:
        for members in _batches(learnt, rng):
            for group in optimizer.param_groups:
                warm = scale * min(1, (done + 1) / _WARMUP)
                group["lr"] = group["highest"] * warm * (1 - done / steps)
            loss = network.loss(members, rng)
            loss.backward()
            nn.utils.clip_grad_norm_([*heads, *body], 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            done += 1
            if progress is not None:
                progress(done, steps, f"loss {loss.item():.3f}")
            if done == steps:
                break
    network.eval()


def _batches(learnt: Sequence[Learnt], rng: random.Random) -> Sequence[Sequence[Learnt]]:
    """Texts of similar length together, in random order."""
    order = rng.sample(range(len(learnt)), len(learnt))
    found = []
    for at in range(0, len(order), 1024):
        part = [learnt[i] for i in order[at : at + 1024]]
        found += [[part[i] for i in one] for one in length_batches([*map(len, part)], _TOKENS)]
    rng.shuffle(found)
    return found


def new_labeller(scorer: Path = SHIPPED_SCORER) -> tuple[Labeller, Tokenizer]:
    """A labeller that has learnt nothing but what a scorer on the same base knows.

    Args:
        scorer: Its folder.
    """
    folder = find_base(SMALL_NAME).folder
    encoder = read_whole(
        folder,
        attn_implementation="eager",
        add_pooling_layer=False,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    encoder.requires_grad_(False)
    known = {name: weight.float() for name, weight in load_file(scorer / _ADAPTER).items()}
    linear = {n: m for n, m in encoder.named_modules() if isinstance(m, nn.Linear)}
    for name, plain in linear.items():
        stem = f"{_PREFIX}{name}.lora_"
        ups, downs = known.get(f"{stem}B.weight"), known.get(f"{stem}A.weight")
        change = None if ups is None or downs is None else ups @ downs
        encoder.set_submodule(name, Adapted(plain, change))
    network = Labeller(encoder, encoder.config.hidden_size)
    return network, Tokenizer.from_file(str(folder / "tokenizer.json"))


def write(network: Labeller, folder: Path, bars: Bars = BARS) -> None:
    """Write heads and adapter with the bars that decide."""
    folder.mkdir(parents=True, exist_ok=True)
    adapter = {}
    for name, module in network.encoder.named_modules():
        if isinstance(module, Adapted):
            stem = f"{_PREFIX}{name}.lora_"
            adapter[f"{stem}A.weight"] = module.down.detach().to(torch.bfloat16).contiguous()
            adapter[f"{stem}B.weight"] = module.up.detach().to(torch.bfloat16).contiguous()
    save_file(adapter, folder / _ADAPTER, metadata={"format": "pt"})
    about = {"peft_type": "LORA", "r": 1, "lora_alpha": 1, "rank": RANK}
    write_text(folder / "adapter_config.json", [json.dumps(about, indent=2) + "\n"])
    heads = {k: v.to(torch.bfloat16).contiguous() for k, v in network.heads.state_dict().items()}
    save_file(heads, folder / HEADS, metadata={"format": "pt"})
    config = {
        "base": identity(find_base(SMALL_NAME)),
        "encoder": plain_config(network.encoder),
        "bars": asdict(bars),
    }
    write_text(folder / CONFIG, [json.dumps(config, indent=2) + "\n"])


def make_labeller(
    stages: Sequence[tuple[Sequence[MarkedText], int, float]],
    folder: Path,
    progress: Progress | None = None,
) -> None:
    """Train a labeller and write it.

    Args:
        stages: One after another, texts to learn from, batches, and what multiplies the rate.
        folder: Where to write; what is there is replaced.
        progress: Called after each batch.
    """
    torch.manual_seed(1)
    network, tokenizer = new_labeller()
    for learnt, steps, scale in stages:
        encodings = tokenizer.encode_batch([one.text for one in learnt])
        tokens = [as_tokens(*pair) for pair in zip(learnt, encodings, strict=True)]
        train(network, tokens, steps, scale, progress)
    write(network, folder)
