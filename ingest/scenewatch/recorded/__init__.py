"""Reads what others recorded, CSV or Parquet, into readings and devices. Stands before the flow: a backtest feeds it."""
