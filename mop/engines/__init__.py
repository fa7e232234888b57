"""The outside world, one tool a file; `protocols` says what MOP asks of it."""
