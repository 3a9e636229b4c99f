"""The vocabulary every stage shares: tables, batches, flags, alarm words, ports. It imports no stage."""
