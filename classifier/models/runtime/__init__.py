"""What runs a trained encoder: PyTorch or OpenVINO."""
