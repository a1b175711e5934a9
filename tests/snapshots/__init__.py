"""Tests of placement's snapshots."""
