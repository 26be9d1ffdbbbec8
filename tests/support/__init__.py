"""What tests stand on: a Kafka for the run, one of their own, names that do not collide."""
