"""Tests of placement's frameworks."""
