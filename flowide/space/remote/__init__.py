"""A space that a hub keeps: the same door, on a replica of its log, with an outbox for what could not be sent yet.

- `address`, `credentials`: where the hub is, and who we are there
- `link`: the connection, which comes back by itself
- `replica`: the log and its projections in a local file, fed from the stream
- `outbox`: commands that wait for their answer, and drafts that were written offline
- `space`: `RemoteSpace`, the door
"""
