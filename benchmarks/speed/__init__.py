"""How fast models are trained and applied, and how much memory they take."""
