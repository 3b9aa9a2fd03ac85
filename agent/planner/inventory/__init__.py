"""Questions about what one runs: resources, what is measured of them and how they are. Enter at `turn`."""
