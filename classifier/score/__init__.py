"""Apply a trained model: texts or articles in, a row for every mention out."""

from classifier.score.load import load
from classifier.score.scorer import Articles, Scorer
from classifier.score.streaming import Scored, score_to_file

__all__ = ["Articles", "Scored", "Scorer", "load", "score_to_file"]
