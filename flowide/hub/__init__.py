"""The hub: one server that keeps spaces for several people and machines. Needs `flowide[server]`.

- `serve`: the program; `app`: its addresses; `guard`: who may speak to it at all
- `keeper`: the spaces of a database; `space`: one of them, with who follows it
- `seats`: who a token belongs to; `calls`: commands and questions as they come over the wire
- `stream`, `line`: the WebSocket; `feed`: the log to all who follow; `live`: texts while they are written
- `reads`, `blobs`: the other addresses; `openapi`, `metrics`, `journal`: what it tells about itself
"""
