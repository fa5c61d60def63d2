"""What goes between a hub and its clients: the same JSON over HTTP and over the WebSocket."""
