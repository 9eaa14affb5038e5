"""`python -m kerasteach.cli`, where the command is not on the path."""

from kerasteach.cli import main

if __name__ == "__main__":
    main()
