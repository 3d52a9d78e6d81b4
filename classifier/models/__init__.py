"""Models: probabilities from passages."""

import os

# Threads that spin while they wait for each other made training ten times slower on a computer
# that does anything else beside it. Read when torch is loaded, so it must be set before.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
