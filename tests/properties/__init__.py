"""Properties over random clusters and workloads."""
