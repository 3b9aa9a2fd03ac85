"""Google Cloud as a local server: what the company has there, each API in its own wire format."""
