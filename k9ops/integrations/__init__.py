"""One door for each outside library or program."""
