#!/usr/bin/env bash
# Has Argo CD bring an environment to what Git says, and waits until it is there: infra/delivery/sync.sh dev
# Argo CD has no address outside: the way leads through Session Manager to the cluster's API, and from there to its server.
# Needs aws with the Session Manager plugin, kubectl, docker, jq, and a job at GitHub that may ask for its token.
set -euo pipefail
cd "$(dirname "$0")/../.."
environment=$1
case $environment in dev | stage) platform=nonprod ;; prod) platform=prod ;; *) echo "There is no $environment." >&2; exit 2 ;; esac
region=$(node infra/platform.ts | sed -n 's/^region=//p')
export AWS_REGION=$region
argocd_version=v3.5.7
api_port=16443 argocd_port=18443
scratch=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$scratch"' EXIT

# Waits until something listens on a port, half a minute at most; what its program said is in the file.
listening() {
  for _ in $(seq 60); do
    (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.5
  done
  echo "Nothing listens on port $1: $(cat "$2")" >&2
  return 1
}

host=$(aws ec2 describe-instances --query 'Reservations[].Instances[].InstanceId | [0]' --output text \
  --filters "Name=tag:docket:access,Values=$platform" Name=instance-state-name,Values=running)
cluster=$(aws eks describe-cluster --name "docket-$platform" --query cluster.endpoint --output text)
api=${cluster#https://}
aws ssm start-session --target "$host" --document-name AWS-StartPortForwardingSessionToRemoteHost \
  --parameters "host=$api,portNumber=443,localPortNumber=$api_port" >"$scratch/session" 2>&1 &
listening "$api_port" "$scratch/session"

export KUBECONFIG=$scratch/kubeconfig
aws eks update-kubeconfig --name "docket-$platform" --alias docket >/dev/null
kubectl config set-cluster "$(kubectl config view --minify -o jsonpath='{.clusters[0].name}')" \
  --server "https://127.0.0.1:$api_port" --tls-server-name "$api" >/dev/null
kubectl --namespace argocd port-forward service/argocd-server "$argocd_port:443" >"$scratch/forward" 2>&1 &
listening "$argocd_port" "$scratch/forward"

# GitHub says who this job is; Argo CD's Dex takes that for a token of its own, of some minutes.
github=$(curl -fsS -H "authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" "$ACTIONS_ID_TOKEN_REQUEST_URL" | jq -er .value)
ARGOCD_AUTH_TOKEN=$(curl -fsS --insecure "https://127.0.0.1:$argocd_port/api/dex/token" --user argo-cd-cli: \
  --data-urlencode connector_id=github-actions \
  --data-urlencode grant_type=urn:ietf:params:oauth:grant-type:token-exchange \
  --data-urlencode scope="openid email profile federated:id" \
  --data-urlencode requested_token_type=urn:ietf:params:oauth:token-type:access_token \
  --data-urlencode subject_token_type=urn:ietf:params:oauth:token-type:id_token \
  --data-urlencode "subject_token=$github" | jq -er .access_token)
export ARGOCD_AUTH_TOKEN
echo "::add-mask::$ARGOCD_AUTH_TOKEN"

container=$(docker create "quay.io/argoproj/argocd:$argocd_version")
docker cp --quiet "$container:/usr/local/bin/argocd" "$scratch/argocd"
docker rm "$container" >/dev/null
# The certificate is Argo CD's own; the tunnel ends at the cluster.
export ARGOCD_SERVER=127.0.0.1:$argocd_port ARGOCD_OPTS="--insecure --grpc-web"
argocd() { "$scratch/argocd" "$@"; }

# Who may talk to whom, then accounts and secrets, then migrations (PreSync) and what runs.
for part in mesh foundation workloads; do
  app=docket-$environment-$part
  argocd app get "$app" --hard-refresh >/dev/null
  argocd app sync "$app" --prune --timeout 1800
  # Healthy is a Rollout only after its last step, analyses included.
  argocd app wait "$app" --sync --health --operation --timeout 5400
done
