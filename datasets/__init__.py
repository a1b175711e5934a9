"""Small snapshots and workloads of our own making, with their seeded generators."""
