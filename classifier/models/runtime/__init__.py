"""What runs a trained encoder: PyTorch, or NumPy alone."""
