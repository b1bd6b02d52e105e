"""``python -m comfyclient``: the command line."""

from comfyclient.cli import main

if __name__ == "__main__":
    main()
