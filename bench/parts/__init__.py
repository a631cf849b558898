"""What the throughput benchmark compares, each in a process of its own: prints events, CPU and wall seconds as JSON."""
