"""Models: passages with mention spans in, probabilities per variable out."""
