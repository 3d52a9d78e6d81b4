#!/usr/bin/env bash
# transformers: a Unigram tokenizer beside model_type "bert" is read as WordPiece, and fails.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check transformers==5.23.0
"$work/env/bin/python" - <<'PY'
import json
import tempfile
from pathlib import Path

import transformers
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer

folder = Path(tempfile.mkdtemp())
tokenizer = Tokenizer(models.Unigram([("<unk>", 0.0), ("▁war", -1.0), ("s", -2.0)], unk_id=0))
tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
tokenizer.save(str(folder / "tokenizer.json"))
(folder / "config.json").write_text(json.dumps({"model_type": "bert"}))


def pieces():
    try:
        read = AutoTokenizer.from_pretrained(folder)
        return type(read).__name__, read.tokenize("wars")
    except Exception as error:
        return f"{type(error).__name__}: {error}"


without = pieces()
named = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>"}
(folder / "tokenizer_config.json").write_text(json.dumps(named))
print("transformers", transformers.__version__, "without a class:", without, "with one:", pieces())
assert "▁war" not in str(without) and "▁war" in str(pieces()), "the behaviour has changed"
PY
