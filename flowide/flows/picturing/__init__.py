"""Pictures of pages: a private copy is served on loopback, and a browser that an MCP server drives looks at it."""
