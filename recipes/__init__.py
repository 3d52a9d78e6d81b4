"""How the shipped weights are made; beside the package, outside the wheel."""
