"""Published conformance cases evaluated: the runner knows formats and expectations, never a case."""
