"""A real history through a real Kafka and back, compared with what git says."""
