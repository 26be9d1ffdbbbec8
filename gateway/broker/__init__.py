"""A real Kafka on a laptop: found, or started here."""
