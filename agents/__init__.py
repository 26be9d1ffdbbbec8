"""Who carries it: the agents that read one log and write another."""
