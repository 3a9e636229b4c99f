"""Reads what others recorded, CSV or Parquet, into readings and devices. Before the flow: a backtest feeds it."""
