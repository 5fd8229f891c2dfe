"""The Kubernetes side: resources, reconcilers, runners, status and the `cirahub` command."""
