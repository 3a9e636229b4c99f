"""The console: pages for people. A process of its own at the end of the flow that uses the worker's API only."""
