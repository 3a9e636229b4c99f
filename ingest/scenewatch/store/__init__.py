"""Where what was found out is kept: readings by series, alarms, dead letters and the inventory. The flow's end."""
