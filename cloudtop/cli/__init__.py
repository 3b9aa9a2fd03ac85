"""The front door: commands, views, and build.py that puts the parts together."""
