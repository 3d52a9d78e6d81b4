"""Apply a trained model: texts or articles in, a row for every mention out."""

from classifier.score.load import load
from classifier.score.scorer import Articles, Scorer

__all__ = ["Articles", "Scorer", "load"]
