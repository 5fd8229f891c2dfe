"""A node of our own: kubelet, containerd, runc, kube-proxy and CoreDNS on this machine, as root.

Everything that a node does to a machine (mounts, devices, rules of the network, sockets at fixed
places) is done in namespaces whose first process is `init`: the kernel takes it back with that
process, however it ends. Control groups and files are left to the watchdog. What is shared is one
pair of network devices, `link`, at whose outer end the API server listens.
"""

from cluster.node.node import WEB, Node, obstacle

__all__ = ["WEB", "Node", "obstacle"]
