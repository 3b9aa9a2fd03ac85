"""Local servers that speak each cloud's API over a made-up market."""
