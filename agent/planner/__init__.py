"""Text and dialogue in, plan out: pure, no I/O."""
