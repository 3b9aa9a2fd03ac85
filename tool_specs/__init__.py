"""One YAML per MCP tool."""
