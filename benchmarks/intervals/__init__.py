"""Whether intervals and tests hold what they promise."""
