"""Tests of the solvers package."""
