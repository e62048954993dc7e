#!/usr/bin/env bash
# Commits what a pipeline wrote for an environment, and pushes it to main; nothing to commit is fine:
# infra/delivery/commit.sh stage "STAGE runs what passed DEV"
set -euo pipefail
cd "$(dirname "$0")/../.."
git add "argocd/workloads/overlays/$1/images"
if git diff --cached --quiet; then
  echo "$1 runs this already."
  exit 0
fi
git -c user.name="Docket's pipeline" -c user.email=pipeline@users.noreply.github.com commit --quiet --message "$2"
# Others push in the meantime; digests of one environment are written by one job at a time, so that a rebase meets nothing.
for pause in 0 2 5 10 20; do
  sleep "$pause"
  git push --quiet origin HEAD:main && exit 0
  git -c user.name="Docket's pipeline" -c user.email=pipeline@users.noreply.github.com pull --quiet --rebase origin main
done
echo "main moved on five times while this was to be pushed; run the job again." >&2
exit 1
