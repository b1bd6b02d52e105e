"""The command line, as a process of its own, against the real server and the embedded one."""
