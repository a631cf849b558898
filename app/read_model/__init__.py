"""What Redis holds for whoever looks: written behind the epochs by the owners of partitions, read by all workers."""
