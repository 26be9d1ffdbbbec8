"""How fast it is: reproducible measurements."""
