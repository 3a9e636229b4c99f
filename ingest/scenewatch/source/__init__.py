"""The first stage: reads MQTT messages off a broker's socket in bulk and hands them to the journal unread."""
