"""An event-sourced document reactor on Kafka."""
