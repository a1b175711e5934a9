"""Step procedures that frameworks have of their own, as pure functions over clusters and workloads."""
