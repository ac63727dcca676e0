"""The dogs of the unit."""
