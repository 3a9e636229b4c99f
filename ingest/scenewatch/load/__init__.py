"""How much alarms ask of those who read them: beside the flow, over whatever alarms are on record."""
