"""One module per tool, tied to its spec by name."""
