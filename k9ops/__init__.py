"""K9 Ops: the operations system of a working-dog unit."""

__version__ = "1.0.0.dev1"
