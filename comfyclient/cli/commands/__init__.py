"""One module for each command; ``comfyclient.cli.program`` lists them, and imports the one that is called.

A command is a function of the ``App`` under ``@command(...)``, called as its module is. It names the attrs classes
that it prints with ``--json``, and gives examples. It prints by ``app.out`` and talks to ``app.client``; it lets errors
pass, which the program turns into a message and an exit code, and raises ``click.UsageError`` for a wrong command line.
"""
