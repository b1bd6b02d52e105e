"""The editor's own save format."""
