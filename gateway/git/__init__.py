"""A git repository's history, read as documents and actions."""
