"""Local clouds, one a file: each speaks its provider's API over a made-up market."""
