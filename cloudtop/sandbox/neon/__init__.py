"""What a local Neon tells of the made-up company."""
