"""Tests of placement's command."""
