"""The search for quality: baselines, variants of training, transfer, countries swapped.

CLASSIFIER_DATA names the folder that holds newsmtsc/, rusentne/ and ruopinionne/. Each command
prints one JSON object last, and adds it to the run log that --log names.

    python -m benchmarks.quality search baselines
    python -m benchmarks.quality search variants --only "focal loss" --seeds 1 2 3 --share .33
    python -m benchmarks.quality search probes
    python -m benchmarks.quality search transfer
    python -m benchmarks.quality search swap --run runs/mine
    python -m benchmarks.quality search level --run runs/mine
    python -m benchmarks.quality search swap --only reference "swapped copies"
    python -m benchmarks.quality search baselines --base-model xlm-roberta-base --device cuda

    python -m benchmarks.quality search tables --log runs.jsonl

--limit 20 is a quick try: so many articles of each part.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Read the command line, choose the device, do the work."""
    given = _parser().parse_args()
    if given.what == "tables":
        from benchmarks.quality._report import report

        print(report(given.log))
        return
    if given.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import torch

    if given.device == "cuda" and not torch.cuda.is_available():
        sys.exit("--device cuda needs a GPU that PyTorch can see; none was found")
    if given.threads:
        torch.set_num_threads(given.threads)
    print(json.dumps(_COMMANDS[given.what](given), ensure_ascii=False))


def _variants(given: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.quality._judging import TESTS
    from benchmarks.quality._runs import done, plain, run
    from benchmarks.quality._variants import NAMES, SWAPPED_IN, reference, variant

    judge_on = tuple(dict.fromkeys(name for name, _ in TESTS))
    scope = _scope(given)
    finished = done(scope.log)
    records = []
    for seed in given.seeds:
        for name in given.only or NAMES:
            recipe = variant(name, reference(given.base_model, given.epochs, seed))
            if (name, plain(recipe)["id"]) in finished:
                continue
            records.append(run(name, recipe, scope, judge_on, swaps=name in SWAPPED_IN))
            print(_line(records[-1]), file=sys.stderr, flush=True)
    return {"variants": records}


def _baselines(given: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.quality._runs import write_line
    from benchmarks.quality._tables import baselines
    from benchmarks.quality._variants import reference

    scope = _scope(given)
    recipe = reference(given.base_model, given.epochs, given.seeds[0])
    record = baselines(recipe, scope, given.only or ())
    write_line(scope.log, record)
    return record


def _transfer(given: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.quality._runs import write_line
    from benchmarks.quality._tables import transfer
    from benchmarks.quality._variants import reference

    scope = _scope(given)
    record = transfer(reference(given.base_model, given.epochs, given.seeds[0]), scope)
    write_line(scope.log, record)
    return record


def _probes(given: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.quality._probes import probes
    from benchmarks.quality._variants import reference

    scope = _scope(given)
    recipe = reference(given.base_model, given.epochs, given.seeds[0])
    return probes(recipe, scope, given.only or ())


def _level(given: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.quality._country_bias import level
    from benchmarks.quality._runs import write_line
    from classifier.errors import ModelError
    from classifier.models.encoder._model import load_encoder
    from classifier.score import load

    trained = load(given.run).trained
    if trained.folder is None or trained.model.options.model != "encoder":
        raise ModelError(f"{given.run}: a fine-tuned encoder was required, to level its head")
    model = load_encoder(trained.folder, trained.model.variables, trained.model.options)
    done = level(model, _scope(given), int(trained.record["context"]))
    write_line(given.log, done | {"model_id": trained.model_id})
    return done


def _swap(given: argparse.Namespace) -> dict[str, Any]:
    """Of a run folder or the shipped scorer; or of variants, trained here."""
    from benchmarks.quality._runs import plain, train, write_line
    from benchmarks.quality._tables import swap
    from benchmarks.quality._variants import reference, variant
    from classifier.models import find_base
    from classifier.score import load

    scope = _scope(given)
    records = []
    for name in given.only or [""]:
        if name:
            recipe = variant(name, reference(given.base_model, given.epochs, given.seeds[0]))
            done = swap(train(recipe, scope), scope, recipe.options.context)
            made = {"recipe": plain(recipe), "base": find_base(given.base_model).name}
        else:
            trained = load(given.run).trained
            done = swap(trained, scope, int(trained.record["context"]))
            made = {"model_id": trained.model_id}
        records.append({**done, "of": name or "run folder", **made})
        write_line(scope.log, records[-1])
    return {"swaps": records}


def _line(record: dict[str, Any]) -> str:
    figures = record["figures"].items()
    both = [*record["development"].items(), *figures]
    shown = " ".join(f"{k} {v['macro_f1'][0]:.3f}" for k, v in both if v["macro_f1"][0])
    return f"{record['run']} {record['recipe']['options']['seed']}: {shown} {record['seconds']}"


def _scope(given: argparse.Namespace) -> Any:  # noqa: ANN401
    from benchmarks.quality._runs import Scope

    return Scope(given.limit, given.share, given.log)


_COMMANDS = {
    "baselines": _baselines,
    "variants": _variants,
    "transfer": _transfer,
    "probes": _probes,
    "swap": _swap,
    "level": _level,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=[*_COMMANDS, "tables"])
    parser.add_argument("--base-model", default="", help="name, folder or Hub id; the shipped one")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--epochs", type=int, default=0, help="as the shipped scorer")
    parser.add_argument("--share", type=float, default=1.0, help="of training articles")
    parser.add_argument("--limit", type=int, default=0, help="most articles of each part")
    parser.add_argument("--only", nargs="+", help="names of variants or baselines")
    parser.add_argument("--run", type=Path, help="run folder to swap in; the shipped scorer")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--log", type=Path, help="run log, JSON Lines")
    return parser
