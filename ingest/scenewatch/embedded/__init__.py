"""Everything under one command: a broker, simulated devices, the worker and the console as supervised processes."""
