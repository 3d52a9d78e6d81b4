"""Distil an English sentence encoder into a small one that reads other languages too.

Reimers and Gurevych (2020), "Making Monolingual Sentence Embeddings Multilingual using Knowledge
Distillation", with word alignment for a new token table and for a loss on tokens.
"""

from classifier.distil.evaluation import Figures, evaluate
from classifier.distil.options import DistilOptions, Report
from classifier.distil.pairs import Pair, Pairs, Split, read_pairs, split_pairs
from classifier.distil.run import distil

__all__ = [
    "DistilOptions",
    "Figures",
    "Pair",
    "Pairs",
    "Report",
    "Split",
    "distil",
    "evaluate",
    "read_pairs",
    "split_pairs",
]
