"""Tests of placement and solvers; benchmarks and the conformance runner are modules here too."""
