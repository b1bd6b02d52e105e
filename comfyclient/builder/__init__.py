"""Write graphs in Python: every node class of a server is a function, its inputs are keyword arguments.

    g = client.builder()
    model, clip, vae = g.CheckpointLoaderSimple(ckpt_name="v1-5-pruned-emaonly.safetensors")

``to_python`` writes such a script from a workflow, ``stubs`` what editors and type checkers need to know a server's
nodes.
"""

from comfyclient.builder.graph import Builder, Graph
from comfyclient.builder.script import to_python
from comfyclient.builder.sockets import Outputs, Socket, Unchecked
from comfyclient.builder.stubs import stubs

__all__ = ["Builder", "Graph", "Outputs", "Socket", "Unchecked", "stubs", "to_python"]
