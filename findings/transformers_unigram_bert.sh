#!/usr/bin/env bash
# transformers: a Unigram tokenizer.json beside model_type bert is read as WordPiece unless the class is named.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check transformers==5.23.0 tokenizers
"$work/env/bin/python" - <<'PY'
import json
import tempfile
from pathlib import Path

import transformers
from tokenizers import Tokenizer, models

folder = Path(tempfile.mkdtemp())
tokenizer = Tokenizer(models.Unigram([("<unk>", 0.0), ("a", -1.0), ("b", -1.0)], unk_id=0))
tokenizer.save(str(folder / "tokenizer.json"))
(folder / "config.json").write_text(json.dumps({"model_type": "bert", "vocab_size": 3}))
seen = []
for config in ({}, {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>"}):
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    try:
        seen.append(str(transformers.AutoTokenizer.from_pretrained(folder)("ab")["input_ids"]))
    except Exception as error:
        seen.append(f"{type(error).__name__}: {error}")
print("transformers", transformers.__version__, seen)
assert seen[1] == "[1, 2]" and seen[0] != "[1, 2]", "the behaviour has changed"
PY
