"""Examines an installation beside the running parts; wiring, as it looks at every part, and changes none."""
