"""Derived channels: what a device's readings say together. Between quality and alarms."""
