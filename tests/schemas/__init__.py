"""What providers' OpenAPI documents say about the answers that the sandbox gives.

`<provider>.json` holds, for the operations that a connector asks, the names, types and required fields of
every documented answer, as JSON Schema, and nothing else of the document. Made and renewed by

    python -m tests.schemas digitalocean <the document, YAML or JSON> "GET /v2/droplets" ...

which keeps the operations that the file has already.
"""
