"""Tests of the bundled datasets."""
