"""`python -m cirahub_simulator` is `cirahub simulate`."""

from cirahub_simulator.command import command

command(prog_name="cirahub simulate")
