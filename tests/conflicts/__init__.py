"""Workloads that cannot be placed whole, each with the set of rules that conflict, worked out by hand."""
