"""The pass: recover, pull, merge, plan, guard, push. A module a stage; no concrete endpoint."""
