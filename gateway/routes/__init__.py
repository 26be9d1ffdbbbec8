"""The calls, one noun a file."""
