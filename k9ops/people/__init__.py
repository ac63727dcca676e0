"""The people of the unit, whether they sign in or not."""
