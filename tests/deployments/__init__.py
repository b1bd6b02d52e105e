"""The real ComfyUI as it stands in the world: behind nginx, proxies and TLS, and with options of its own."""
