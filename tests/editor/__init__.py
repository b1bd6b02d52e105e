"""The official editor, asked what it exports for graphs: those of our own, and its templates.

``graphs`` has a small graph for every rule, ``answers.json`` what the editor exported for each of them,
``catalogue.json.gz`` the definitions of their nodes, ``templates.json`` digests of what it exports for its templates.
``browser`` asks it anew, ``parity`` compares: ``python -m tests.editor --help``.
"""
