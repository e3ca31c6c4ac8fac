"""What happened, for other systems: from the outbox to Kafka, and to Laurel's own readers."""
