"""The page of settings: what the unit may change without touching the installation."""
