// The Prometheus operator's resource definitions, pinned: what the tests of the chart hold its
// ServiceMonitor and rules against.
module cirahub.invalid/hack/cluster/tools/monitoring

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
