"""Duty: who stands where with which dog, who came, and days that are locked."""
