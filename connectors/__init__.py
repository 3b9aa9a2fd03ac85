"""The clouds: one file each, found by discovery."""
