"""Measured against a baseline of the same run."""
