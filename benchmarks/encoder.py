"""How good an encoder is: translations, English, stance in English and Russian, speed.

CLASSIFIER_DATA names the folder that holds newsmtsc/, rusentne/ and parallel/.

    python benchmarks/encoder.py retrieval FOLDER [--sentences 1]
    python benchmarks/encoder.py stance FOLDER [--seed 1] [--epochs 2] [--parts sample rusentne]
    python benchmarks/encoder.py speed FOLDER

FOLDER is a base such as classifier/weights/base, or `minilm`.
"""

import argparse
import copy
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from encoder_data import NEGATIVE, POSITIVE, Example, held_out, newsmtsc, passages, rusentne, sample
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer, PreTrainedModel

from classifier.distil import evaluate
from classifier.distil.corpus import encode
from classifier.distil.ragged import Ragged, ragged
from classifier.distil.teacher import batches_by_length, hidden_states, mean_pooled, padded
from classifier.models.bases import MINILM, find_base

MAX_TOKENS = 160


def load(name: str) -> tuple[PreTrainedModel, Tokenizer]:
    """Model without dropout and bare tokenizer of a folder, or of MiniLM."""
    folder = find_base(MINILM if name == "minilm" else name).folder
    model = AutoModel.from_pretrained(
        folder,
        attn_implementation="eager",
        dtype=torch.float32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    tokenizer = AutoTokenizer.from_pretrained(folder).backend_tokenizer
    tokenizer.no_padding()
    return model.eval(), tokenizer


class StanceNetwork(torch.nn.Module):
    """Mean of the mention's tokens beside the mean of the sentence's, and a linear layer."""

    def __init__(self, encoder: PreTrainedModel) -> None:
        """Add a head for three classes."""
        super().__init__()
        self.encoder = encoder
        self.head = torch.nn.Linear(2 * encoder.config.hidden_size, 3)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, mention: torch.Tensor) -> torch.Tensor:
        """Scores of the classes."""
        states = hidden_states(self.encoder, ids, mask)
        pooled = torch.cat([mean_pooled(states, mention), mean_pooled(states, mask)], dim=1)
        scores: torch.Tensor = self.head(pooled)
        return scores


@dataclass(frozen=True)
class Encoded:
    """Examples as numbers."""

    ids: Ragged
    mention: Ragged
    labels: np.ndarray


def encoded(tokenizer: Tokenizer, examples: Sequence[Example]) -> Encoded:
    """Token ids, and for each token whether it overlaps the mention ([CLS] does if none does)."""
    tokenizer.enable_truncation(MAX_TOKENS)
    ids, mention = [], []
    for example in examples:
        encoding = tokenizer.encode(example.sentence)
        touched = [int(a < example.end and example.start < b) for a, b in encoding.offsets]
        ids.append(encoding.ids)
        mention.append(touched if any(touched) else [1] + [0] * (len(touched) - 1))
    labels = np.array([example.label for example in examples])
    return Encoded(ragged(ids), ragged(mention), labels)


def tensors(
    data: Encoded, rows: np.ndarray, pad: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """One batch."""
    ids, mask = padded(data.ids.take(rows), "cpu", pad)
    mention, _ = padded(data.mention.take(rows), "cpu")
    return ids, mask, mention.bool()


def shuffled(data: Encoded, rng: np.random.Generator, size: int = 32) -> Iterator[np.ndarray]:
    """Batches of 32, like lengths together within pools of 20 batches."""
    order = rng.permutation(len(data.labels))
    batches = []
    for start in range(0, len(order), size * 20):
        pool = order[start : start + size * 20]
        pool = pool[np.argsort(data.ids.lengths[pool], kind="stable")]
        batches += [pool[n : n + size] for n in range(0, len(pool), size)]
    yield from (batches[n] for n in rng.permutation(len(batches)))


def fit(
    network: StanceNetwork, data: Encoded, epochs: int, seed: int, weights: torch.Tensor | None
) -> None:
    """AdamW, 5e-5 falling to 0 after a tenth of warm-up."""
    rng, step = np.random.default_rng(seed), 0
    steps = epochs * -(-len(data.labels) // 32)
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-5, fused=True)
    network.train()
    for _ in range(epochs):
        for rows in shuffled(data, rng):
            rate = min((step + 1) / (steps / 10), (steps - step) / steps)
            optimizer.param_groups[0]["lr"] = 5e-5 * rate
            scores = network(*tensors(data, rows, network.encoder.config.pad_token_id))
            wanted = torch.from_numpy(data.labels[rows])
            torch.nn.functional.cross_entropy(scores, wanted, weights).backward()
            optimizer.step()
            optimizer.zero_grad()
            step += 1
    network.eval()


@torch.inference_mode()
def predict(network: StanceNetwork, data: Encoded) -> np.ndarray:
    """The likeliest class of each example."""
    found = np.empty(len(data.labels), dtype=np.int64)
    for rows in batches_by_length(data.ids.lengths, 8192):
        scores = network(*tensors(data, rows, network.encoder.config.pad_token_id))
        found[rows] = scores.argmax(dim=1).numpy()
    return found


def macro(data: Encoded, found: np.ndarray) -> float:
    """Macro-F1 over the three classes."""
    return float(f1_score(data.labels, found, average="macro"))


def polar(labels: np.ndarray, found: np.ndarray) -> float:
    """Mean of the F1 of negative and positive, the measure of the Russian shared task."""
    return float(f1_score(labels, found, labels=[NEGATIVE, POSITIVE], average="macro"))


def english(network: StanceNetwork, tokenizer: Tokenizer, seed: int, epochs: int) -> None:
    """NewsMTSC, trained on its `train` and judged on both of its whole devtest files."""
    fit(network, encoded(tokenizer, newsmtsc("train")), epochs, seed, None)
    for part in ("devtest_mt", "devtest_rw"):
        data = encoded(tokenizer, newsmtsc(part))
        print(f"  {part}: macro-F1 {macro(data, predict(network, data)):.3f}", flush=True)


def ours(network: StanceNetwork, tokenizer: Tokenizer, seed: int) -> None:
    """The sample, all of it before any was seen, then its test part after its training part."""
    for language in ("en", "nl", "tr", "ru", "uk"):
        data = encoded(tokenizer, sample(language))
        figure = macro(data, predict(network, data))
        print(f"  sample {language}, zero-shot: macro-F1 {figure:.3f} (n {len(data.labels)})")
    fit(network, encoded(tokenizer, sample(None, "train")), 4, seed, None)
    for language in ("en", "nl", "tr", "ru", "uk"):
        data = encoded(tokenizer, sample(language, "test"))
        print(f"  sample {language}, tuned: macro-F1 {macro(data, predict(network, data)):.3f}")


def russian(network: StanceNetwork, tokenizer: Tokenizer, seed: int, epochs: int) -> None:
    """Entities in Russian news, before and after any Russian was seen."""
    train, test = (encoded(tokenizer, side) for side in rusentne())
    for side, data in (("train", train), ("test", test)):
        figure = polar(data.labels, predict(network, data))
        print(
            f"  rusentne {side}, zero-shot: F1(P,N) {figure:.3f} (n {len(data.labels)})", flush=True
        )
    share = np.bincount(train.labels, minlength=3) / len(train.labels)
    weights = torch.tensor(1 / share**0.5, dtype=torch.float32)
    fit(network, train, epochs, seed, weights / weights.mean())
    figure = polar(test.labels, predict(network, test))
    print(f"  rusentne test, after English, class weights: F1(P,N) {figure:.3f}", flush=True)


def stance(name: str, seed: int, epochs: int, parts: Sequence[str]) -> None:
    """Train on English; each further part starts from there."""
    torch.manual_seed(seed)
    started = time.time()
    print(f"{name}, seed {seed}, {epochs} epochs", flush=True)
    encoder, tokenizer = load(name)
    network = StanceNetwork(encoder)
    english(network, tokenizer, seed, epochs)
    learned = copy.deepcopy(network.state_dict())
    if "sample" in parts:
        ours(network, tokenizer, seed)
        network.load_state_dict(learned)
    if "rusentne" in parts:
        russian(network, tokenizer, seed, epochs)
    print(f"  {time.time() - started:.0f} s", flush=True)


def baseline() -> None:
    """TF-IDF of words and letters, and the majority class, on the same parts."""
    model = make_pipeline(
        make_union(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=3, sublinear_tf=True),
        ),
        LogisticRegression(max_iter=1000, class_weight="balanced", C=3),
    )
    tests = {part: newsmtsc(part) for part in ("devtest_mt", "devtest_rw")}
    _judge(model, newsmtsc("train"), tests)
    train, test = rusentne()
    _judge(model, train, {"rusentne": test})
    languages = ("en", "nl", "tr", "ru", "uk")
    tests = {f"sample {code}": sample(code, "test") for code in languages}
    _judge(model, sample(None, "train"), tests)


def _judge(model: Pipeline, train: list[Example], tests: dict[str, list[Example]]) -> None:
    model.fit([example.sentence for example in train], [example.label for example in train])
    for name, examples in tests.items():
        labels = np.array([example.label for example in examples])
        found = model.predict([example.sentence for example in examples])
        most = np.full_like(labels, Counter(labels.tolist()).most_common(1)[0][0])
        print(
            f"{name}: TF-IDF macro-F1 {f1_score(labels, found, average='macro'):.3f}, F1(P,N) "
            f"{polar(labels, found):.3f}; majority {f1_score(labels, most, average='macro'):.3f}"
        )


def retrieval_figures(name: str, size: int) -> None:
    """Retrieval both ways and the drift of English, for passages of `size` sentences."""
    pairs = {language: passages(some, size) for language, some in held_out().items()}
    for f in evaluate(pairs, load(name), load("minilm"), 96 if size == 1 else 256):
        print(
            f"{name} {f.language}: to English {f.to_english:.3f}, from English "
            f"{f.from_english:.3f}, English cosine {f.english_cosine:.3f}, "
            f"foreign cosine {f.foreign_cosine:.3f}, {f.tokens:.1f} tokens a sentence"
        )


def speed(name: str, sentences: int = 30, articles: int = 20) -> None:
    """Time per article of 30 held-out sentences, bf16, one thread, in turns with MiniLM."""
    torch.set_num_threads(1)
    networks = {label: load(label) for label in ("minilm", name)}
    pairs = held_out()
    texts = {language: [p.foreign for p in some] for language, some in pairs.items()}
    texts["en"] = [p.english for p in pairs["ru"]]
    for language, some in texts.items():
        rows = {
            label: ragged(encode(tokenizer, some[: sentences * articles], 256))
            for label, (_, tokenizer) in networks.items()
        }
        times: dict[str, list[float]] = {label: [] for label in networks}
        for n in range(articles):
            for label, (model, _) in networks.items():
                own = rows[label].take(np.arange(n * sentences, (n + 1) * sentences))
                times[label].append(seconds_to_read(model, own))
        for label, taken in times.items():
            print(
                f"{language} {label}: {1000 * float(np.median(taken)):.0f} ms an article, fastest "
                f"{1000 * min(taken):.0f}; {rows[label].lengths.mean():.1f} tokens a sentence"
            )


@torch.inference_mode()
def seconds_to_read(model: PreTrainedModel, rows: Ragged) -> float:
    """Wall time of the encoder alone, tokens given."""
    started = time.perf_counter()
    for batch in batches_by_length(rows.lengths, 2048):
        hidden_states(model, *padded(rows.take(batch), "cpu"))
    return time.perf_counter() - started


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["retrieval", "stance", "speed", "baseline"])
    parser.add_argument("folder", nargs="?", default="minilm")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--sentences", type=int, default=1)
    parser.add_argument("--parts", nargs="*", default=["sample", "rusentne"])
    arguments = parser.parse_args()
    if arguments.what == "stance":
        stance(arguments.folder, arguments.seed, arguments.epochs, arguments.parts)
    elif arguments.what == "baseline":
        baseline()
    elif arguments.what == "speed":
        speed(arguments.folder)
    else:
        retrieval_figures(arguments.folder, arguments.sentences)


if __name__ == "__main__":
    main()
