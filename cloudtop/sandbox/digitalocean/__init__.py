"""DigitalOcean's listings, metrics and Spaces as a local server over the made-up company."""
