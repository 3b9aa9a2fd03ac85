"""One module per command or two: `run(options)` gives the exit code."""
