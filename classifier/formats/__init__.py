"""Foreign annotation formats in and out."""
