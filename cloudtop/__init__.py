"""cloudtop: one-line answers about clouds and GPUs, each figure with its source and time."""

__version__ = "0.1.0"
