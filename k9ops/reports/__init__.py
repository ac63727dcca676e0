"""Documents made from the unit's data."""
