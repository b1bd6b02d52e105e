"""What is known of the jobs under way: by the websocket's events, and by asking over HTTP."""
