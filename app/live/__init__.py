"""The live processor: Kafka, Faust and the web around the pure core."""
