"""Where the list of devices comes from: files that people keep. Before everything else in the flow."""
