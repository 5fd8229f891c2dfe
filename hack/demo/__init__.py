"""`make demo`: all of it on this machine, from applied manifests to contacts in mailboxes.

A control plane (`hack/cluster`), the simulator and the operator run as processes of their own; the
story is told by kubectl and by what the mailboxes hold, read through the simulator's admin
endpoint as their users would see it. Nothing here calls the operator's code.
"""
