"""`python -m kulanz.cli`."""

from kulanz.cli import main

main()
