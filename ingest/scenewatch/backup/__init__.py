"""Copies what a worker keeps, and puts it back; wiring, as it knows where every part keeps its files."""
