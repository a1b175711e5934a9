"""Benchmarks: generators of published workloads, and commands that print one JSON object each. They measure, not check."""
