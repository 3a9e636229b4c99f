"""What was recorded, as files for others to work on: behind the stores, and beside everything that flows."""
