"""The command `cloudtop`."""


def main() -> None:
    """Entry point."""
