"""The websocket: one thread that reads, one that calls back, and what lies between them."""
