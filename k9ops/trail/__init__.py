"""The audit log as people read it: each entry a sentence, with what changed."""
