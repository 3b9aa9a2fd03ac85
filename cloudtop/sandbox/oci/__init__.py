"""The company's part in Oracle Cloud as a local server."""
