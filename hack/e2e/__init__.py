"""From the image to the last copy in a mailbox, on a cluster that really runs pods: ``make e2e``.

The operator's image runs as the chart has it, in a namespace that enforces the restricted Pod
Security Standard; the simulator is a pod beside it, and judges the cluster's own tokens. The story
installs the previous commit's release, upgrades it while changes arrive, goes back and forth, and
uninstalls it as docs/install.md says. docs/e2e.md tells on which clusters.
"""
