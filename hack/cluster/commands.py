"""The command lines of the three components: every flag that differs from a default, and why."""

from pathlib import Path

from cluster.layout import Layout

CONTROLLERS = (
    "namespace-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
    "clusterrole-aggregation-controller",
    "job-controller",
)
"""Those whose work clients of the API notice although there are no nodes. Where there is one, all
that are on by default."""


def etcd(binary: Path, layout: Layout) -> list[str]:
    client, peer = f"unix://{layout.etcd_socket}", f"unix://{layout.peer_socket}"
    return [
        str(binary),
        "--name=default",
        f"--data-dir={layout.directory / 'etcd'}",
        # The data live as long as the process: nothing is gained by waiting for the disk.
        "--unsafe-no-fsync",
        # Sockets need no ports, and the directory's mode stands in for client certificates.
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--log-level=warn",
    ]


def kube_apiserver(binary: Path, layout: Layout, audit_log: Path | None) -> list[str]:
    audit = [
        f"--audit-policy-file={layout.audit_policy}",
        f"--audit-log-path={audit_log}",
        # A request is answered after its event was written: a reader never comes too early.
        "--audit-log-mode=blocking",
    ]
    network = layout.network
    if network.kubelets is None:
        # Endpoints must not be loopback addresses, so there are none of `kubernetes.default`.
        nodes = ["--endpoint-reconciler-type=none"]
    else:
        nodes = [
            f"--kubelet-client-certificate={network.kubelets.certificate}",
            f"--kubelet-client-key={network.kubelets.key}",
            # Names of nodes are known to nobody's DNS.
            "--kubelet-preferred-address-types=InternalIP",
            "--enable-admission-plugins=NodeRestriction",
        ]
    return [
        str(binary),
        f"--etcd-servers=unix://{layout.etcd_socket}",
        f"--bind-address={network.host}",
        f"--secure-port={layout.port}",
        # See `ports.Reservation`.
        "--permit-port-sharing",
        f"--cert-dir={layout.certificates}",
        f"--advertise-address={network.host}",
        *nodes,
        f"--service-cluster-ip-range={network.services}",
        "--authorization-mode=Node,RBAC",
        f"--token-auth-file={layout.tokens}",
        f"--service-account-issuer={layout.url}",
        f"--service-account-jwks-uri={layout.url}/openid/v1/jwks",
        f"--service-account-key-file={layout.signing_key}",
        f"--service-account-signing-key-file={layout.signing_key}",
        *(audit if audit_log is not None else []),
    ]


def kube_controller_manager(binary: Path, layout: Layout) -> list[str]:
    controllers = CONTROLLERS if layout.network.kubelets is None else ("*",)
    return [
        str(binary),
        f"--kubeconfig={layout.kubeconfig_of('kube-controller-manager')}",
        f"--controllers={','.join(controllers)}",
        f"--root-ca-file={layout.ca_file}",
        "--leader-elect=false",
        # 0 serves nothing: neither port nor certificate.
        "--secure-port=0",
    ]
