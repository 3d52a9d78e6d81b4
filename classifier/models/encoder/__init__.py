"""The encoder: a fine-tuned transformer with one head a variable."""
