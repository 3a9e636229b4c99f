"""On whose account every message is, and dead letters tried again: beside the chain, following its results."""
