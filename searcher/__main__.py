"""`python -m searcher` is the command line."""

from searcher.cli import main

main()
