"""Judges every reading before anything believes it: behind `decode`, before `alarms` and the store."""
