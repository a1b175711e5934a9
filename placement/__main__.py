"""`python -m placement` is the command line."""

from placement.command import main

if __name__ == "__main__":
    main()
