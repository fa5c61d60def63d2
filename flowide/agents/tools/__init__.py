"""Tools of MCP servers: found in settings and files, started when they are first needed, bounded in every way."""
