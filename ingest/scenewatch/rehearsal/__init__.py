"""Judges a run by its labels: what was found, how soon, and how often for nothing. Stands beside the flow."""
