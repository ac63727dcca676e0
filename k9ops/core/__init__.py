"""Ground: what every other part stands on. Imports nothing of the product."""
