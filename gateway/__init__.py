"""How it is reached: HTTP, the Python client, the command line and the development broker."""
