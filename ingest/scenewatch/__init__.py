"""Scenewatch: trustworthy readings, few alarms and rehearsals for city sensors on MQTT."""
