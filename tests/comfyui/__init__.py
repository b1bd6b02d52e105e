"""The real ComfyUI that the tests, the benchmarks and the demo talk to.

``provision`` fetches one into the cache, ``server`` runs it, ``nodes`` is what we add to it, ``images`` knows
the pixels that those nodes paint. ``python -m tests.comfyui`` starts one by hand.
"""
