"""From payload bytes to columns: the only place that knows wire formats. Stands between journal and quality."""
