"""Tests of placement's policies."""
