"""The measures as `evaluate.Metric`, each loadable offline from its own file.

>>> metric_path("cohen_kappa").name
'cohen_kappa.py'

`evaluate.load(str(metric_path("cohen_kappa")))` needs no network.
"""

from pathlib import Path

from classifier.errors import DataError

METRICS = (
    "cohen_kappa",
    "fleiss_kappa",
    "gwet_ac",
    "krippendorff_alpha",
    "macro_f1",
    "masi_alpha",
    "raw_agreement",
    "scott_pi",
)


def metric_path(name: str) -> Path:
    """File of a metric, for `evaluate.load`; raises `DataError` if there is none of that name."""
    if name not in METRICS:
        raise DataError(f"the metrics are {', '.join(METRICS)}; got {name!r}")
    return Path(__file__).with_name(f"{name}.py")
