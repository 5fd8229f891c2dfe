"""What is taken out of the chart."""

from __future__ import annotations

from prove.breakage import Breakage

CHART = "Chart"
_ROOM = "charts/cirahub-operator"
_TEMPLATES = f"{_ROOM}/templates"
_TESTS = "tests/chart"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=CHART,
        what="the definitions go, with all that was declared, when the release is uninstalled",
        file=f"{_TEMPLATES}/crds.yaml",
        old='(dict "helm.sh/resource-policy" "keep")',
        new='(dict "of" "a release")',
        tests=f"{_TESTS}/test_release.py::"
        "test_definitions_upgrade_and_what_was_declared_survives_uninstalling",
    ),
    Breakage(
        guards=CHART,
        what="the store goes when the release is uninstalled",
        file=f"{_TEMPLATES}/persistentvolumeclaim.yaml",
        old="    helm.sh/resource-policy: keep\n",
        new="    of: a release\n",
        tests=f"{_TESTS}/test_release.py::"
        "test_definitions_upgrade_and_what_was_declared_survives_uninstalling",
    ),
    Breakage(
        guards=CHART,
        what="all Secrets of a namespace are granted by naming none",
        file=f"{_ROOM}/values.schema.json",
        old='"secrets": {\n                "type": "array",\n                "minItems": 1,',
        new='"secrets": {\n                "type": "array",',
        tests=f"{_TESTS}/test_values.py::test_a_bad_value_is_refused_by_its_name",
    ),
    Breakage(
        guards=CHART,
        what="the roles that are committed as templates are wider than the rules",
        file=f"{_TEMPLATES}/_rules.tpl",
        old='  resources: ["connections", "hubs", "spokes", "spokesets"]\n  verbs: ["patch"]',
        new='  resources: ["*"]\n  verbs: ["patch"]',
        tests=f"{_TESTS}/test_roles.py",
    ),
    Breakage(
        guards=CHART,
        what="the operator may sign in as any ServiceAccount of a team",
        file=f"{_TEMPLATES}/_rules.tpl",
        old='  resources: ["serviceaccounts/token"]\n  resourceNames: {{ toJson . }}\n',
        new='  resources: ["serviceaccounts/token"]\n',
        tests=f"{_TESTS}/test_roles.py",
    ),
    Breakage(
        guards=CHART,
        what="two pods open one SQLite file while an upgrade rolls out",
        file=f"{_TEMPLATES}/deployment.yaml",
        old="    type: Recreate\n",
        new="    type: RollingUpdate\n",
        tests=f"{_TESTS}/test_admission.py::"
        "test_sqlite_has_one_pod_at_a_time_and_a_volume_that_stays",
    ),
    Breakage(
        guards=CHART,
        what="the restricted Pod Security Standard does not admit the pod",
        file=f"{_ROOM}/values.yaml",
        old="  allowPrivilegeEscalation: false\n",
        new="",
        tests=f"{_TESTS}/test_admission.py::"
        "test_the_pod_of_each_set_is_admitted_where_restricted_is_enforced",
    ),
    Breakage(
        guards=CHART,
        what="a label of a value gets into the selector, and the next upgrade fails",
        file=f"{_TEMPLATES}/_names.tpl",
        old="app.kubernetes.io/instance: {{ .Release.Name }}\n",
        new="app.kubernetes.io/instance: {{ .Release.Name }}\n"
        "{{- with .Values.commonLabels }}\n{{ toYaml . }}\n{{- end }}\n",
        tests=f"{_TESTS}/test_admission.py::test_no_label_or_value_gets_into_the_selector",
    ),
    Breakage(
        guards=CHART,
        what="the password of the database is an argument that everybody on the node sees",
        file=f"{_TEMPLATES}/deployment.yaml",
        old="            {{- if $sqlite }}\n            - --database=",
        new="            {{- if not $sqlite }}\n            - --database=$(CIRAHUB_DATABASE)\n"
        "            {{- else }}\n            - --database=",
        tests=f"{_TESTS}/test_admission.py::"
        "test_a_database_has_replicas_that_take_turns_and_no_volume",
    ),
    Breakage(
        guards=CHART,
        what="a Service of another's sets the operator's port",
        file=f"{_TEMPLATES}/deployment.yaml",
        old="      enableServiceLinks: false\n",
        new="",
        tests=f"{_TESTS}/test_admission.py::"
        "test_what_other_services_are_called_sets_nothing_of_the_operator",
    ),
    Breakage(
        guards=CHART,
        what="the operator looks for its key where it is not mounted",
        file=f"{_TEMPLATES}/_engine.tpl",
        old="  mountPath: /etc/cirahub/key\n",
        new="  mountPath: /etc/cirahub/keys\n",
        tests=f"{_TESTS}/test_arguments.py::test_the_command_takes_the_arguments_of_each_set",
    ),
    Breakage(
        guards=CHART,
        what="an alert fires at once for a hub that is between two passes",
        file=f"{_ROOM}/files/rules/cirahub.yaml",
        old="> 3 * clamp_min(",
        new="> 0 * clamp_min(",
        tests=f"{_TESTS}/test_alerts.py::test_each_alert_is_silent_when_nothing_is_wrong",
    ),
    Breakage(
        guards=CHART,
        what="what is suspended is reported as not ready",
        file=f"{_ROOM}/files/rules/cirahub.yaml",
        old="          unless max by (kind, namespace, name) "
        "(last_over_time(cirahub_suspended[10m])) == 1\n",
        new="",
        tests=f"{_TESTS}/test_alerts.py::test_each_alert_is_silent_when_nothing_is_wrong",
    ),
    Breakage(
        guards=CHART,
        what="a purge is not noticed, because its counter is new",
        file=f"{_ROOM}/files/rules/cirahub.yaml",
        old='                (cirahub_spoke_changes_total{result="deleted"} unless ',
        new='                (cirahub_spoke_changes_total{result="none"} unless ',
        tests=f"{_TESTS}/test_alerts.py::test_each_alert_fires_when_it_should",
    ),
    Breakage(
        guards=CHART,
        what="an alert queries a metric that there is not, and never fires",
        file=f"{_ROOM}/files/rules/cirahub.yaml",
        old="min by (namespace, job) (cirahub_cluster_reachable) == 0",
        new="min by (namespace, job) (cirahub_api_server_reachable) == 0",
        tests="tests/operator/test_metrics.py::test_an_alert_queries_only_what_there_is",
    ),
    Breakage(
        guards=CHART,
        what="a panel queries a metric that there is not, and is always empty",
        file="hack/dashboards/fleet.py",
        old='"sum(max by (namespace, hub) (cirahub_hub_guarded_deletions{HERE}))"',
        new='"sum(max by (namespace, hub) (cirahub_hub_held_deletions{HERE}))"',
        tests="tests/operator/test_metrics.py::test_a_panel_queries_only_what_there_is",
    ),
    Breakage(
        guards=CHART,
        what="a hub's dashboard lacks its Spokes of other namespaces",
        file=f"{_ROOM}/files/dashboards/cirahub-hub.json",
        old='or cirahub_spoke_items{hub=\\"$namespace/$hub\\"})))",\n     "legendFormat": "Spokes"',
        new=')))",\n     "legendFormat": "Spokes"',
        tests=f"{_TESTS}/test_dashboards.py::"
        "test_spokes_of_other_namespaces_are_on_the_dashboard_of_their_hub",
    ),
    Breakage(
        guards=CHART,
        what="an alert leads to a dashboard that shows nothing, for want of a variable",
        file="hack/dashboards/hub.py",
        old='        Variable("hub", "Hub", ',
        new='        Variable("name", "Hub", ',
        tests=f"{_TESTS}/test_alerts.py::"
        "test_an_alert_leads_to_a_dashboard_that_takes_what_it_brings",
    ),
    Breakage(
        guards=CHART,
        what="a restart hides that a hub is not synced any more",
        file="operator/cirahub_operator/reconcile/hub.py",
        old="last_sync = hub.status.last_sync_time if memory.report is None else None",
        new="last_sync = None",
        tests="tests/operator/test_hub.py::"
        "test_when_a_hub_was_synced_is_known_to_the_next_operator",
    ),
)
