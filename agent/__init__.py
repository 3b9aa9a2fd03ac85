"""Question in, tool calls, checked answer out."""
