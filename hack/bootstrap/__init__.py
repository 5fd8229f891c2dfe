"""Makes `.venv` from requirements.lock, with hashes, and puts this project into it.

Run by every target of the Makefile through `hack/bootstrap/run`, which finds the interpreter.
Only the standard library is imported: nothing is installed yet.
"""
