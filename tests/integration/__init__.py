"""Tests against a real Mesos master."""
