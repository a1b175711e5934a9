"""A web shop: 60 agents in 5 racks, and a Marathon group of 12 apps that depend on each other."""
