"""Specs in, MCP out."""
