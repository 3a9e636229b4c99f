"""Tells the outside about alarms: behind `alarms`, at the end of the flow."""
