"""Training on a Spark cluster, for exports that do not fit into one machine."""
