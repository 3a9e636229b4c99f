"""Simulated devices: they stand where real ones will, and meet the rest of the system on the broker only."""
