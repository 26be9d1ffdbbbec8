"""`python -m docreactor.gateway.cli`: the command line without its script."""

from docreactor.gateway.cli import main

if __name__ == "__main__":
    main()
