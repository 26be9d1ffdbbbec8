"""What happens to documents, told to whoever subscribes, on any node."""
