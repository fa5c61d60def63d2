"""A hub and its clients as processes, with everything between them going wrong; see `programme`."""
