"""One test file a constraint."""
