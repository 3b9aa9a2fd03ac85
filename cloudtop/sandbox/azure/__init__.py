"""Azure's Resource Manager, its sign-in and Monitor as a local server over the made-up company."""
