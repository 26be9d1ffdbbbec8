"""What travels: the pure vocabulary of actions, operations and positions."""
