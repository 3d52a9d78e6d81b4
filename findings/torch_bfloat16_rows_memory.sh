#!/usr/bin/env bash
# PyTorch on a CPU: a layer in bfloat16 keeps memory for every number of rows that it meets, some
# 0.7 MB each, also after the results are gone. A process that reads batches of many lengths grows by
# hundreds of megabytes a layer size. In float32 it hardly grows. A smaller cache of oneDNN
# (ONEDNN_PRIMITIVE_CACHE_CAPACITY) helps little. Filling the rows up to a few sizes helps.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.0
cat > "$work/grow.py" <<'PY'
import sys
from pathlib import Path

import torch

MEGABYTE = 1e6
PAGE = 4096


def resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / MEGABYTE


kind = getattr(torch, sys.argv[1])
sizes = range(16, 516, int(sys.argv[2]))
torch.set_num_threads(1)
layer = torch.nn.Linear(384, 1536).to(kind)
with torch.inference_mode():
    for rows in (1, 2, 515):
        layer(torch.zeros(rows, 384, dtype=kind))
    before = resident()
    for rows in sizes:
        layer(torch.zeros(rows, 384, dtype=kind))
    print(round(resident() - before))
PY
cd "$work"
run="$work/env/bin/python $work/grow.py"
"$work/env/bin/python" -c 'import torch; print("torch", torch.__version__, torch.backends.cpu.get_cpu_capability())'
if ! "$work/env/bin/python" -c 'import torch; exit(not torch.ops.mkldnn._is_mkldnn_bf16_supported())'; then
    echo "this processor has no bfloat16 for oneDNN: nothing to see here"
    exit 0
fi
low=$($run bfloat16 1)
few=$(ONEDNN_PRIMITIVE_CACHE_CAPACITY=16 $run bfloat16 1)
filled=$($run bfloat16 32)
full=$($run float32 1)
echo "500 numbers of rows through one layer of 384 by 1,536, growth of the process in MB:"
echo "bfloat16: $low; with a cache of 16: $few; rows filled to 32: $filled; float32: $full"
if [ "$low" -lt 100 ] || [ "$low" -lt $((4 * full)) ] || [ "$low" -lt $((4 * filled)) ]; then
    echo "the behaviour has changed"
    exit 1
fi
