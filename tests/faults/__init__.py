"""Every provider, every method, every fault: `python -m tests.faults` prints the table."""
