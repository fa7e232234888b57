"""`python -m mop`: the same as the program `mop`."""

from mop.commands import main

main()
