"""Turns checked readings and their absence into alarms: behind `quality`, before `notify` and the API."""
