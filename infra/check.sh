#!/usr/bin/env bash
# `npm run delivery:check`: templates by cfn-lint, workflows by actionlint, scripts by shellcheck. What is missing is
# installed: into Go's folder, and into a cache outside the tree.
set -euo pipefail
cd "$(dirname "$0")/.."
cfn_lint=1.58.0 actionlint=v1.7.12
cache=${XDG_CACHE_HOME:-$HOME/.cache}/docket

ensure_cfn_lint() {
  "$cache/cfn-lint-$cfn_lint/bin/cfn-lint" --version 2>/dev/null | grep -qF "$cfn_lint" && return
  echo "Installing cfn-lint $cfn_lint"
  rm -rf "$cache/cfn-lint-$cfn_lint"
  python3 -m venv --without-pip "$cache/cfn-lint-$cfn_lint"
  pip3 --python "$cache/cfn-lint-$cfn_lint/bin/python" install --quiet "cfn-lint==$cfn_lint"
}

ensure_actionlint() {
  go version -m "$HOME/go/bin/actionlint" 2>/dev/null | grep -q "rhysd/actionlint.$actionlint" && return
  echo "Installing actionlint $actionlint"
  CGO_ENABLED=0 GOBIN="$HOME/go/bin" go install "github.com/rhysd/actionlint/cmd/actionlint@$actionlint"
}

for needed in go python3 pip3 shellcheck; do
  command -v "$needed" >/dev/null || { echo "$needed is missing: this needs Go, Python with pip, and Debian's package shellcheck." >&2; exit 1; }
done
ensure_cfn_lint
ensure_actionlint

region=$(node infra/platform.ts | sed -n 's/^region=//p')
# Warnings count. No network is asked: it brings the schemas of all resources.
"$cache/cfn-lint-$cfn_lint/bin/cfn-lint" --regions "$region" --non-zero-exit-code informational --template infra/templates/*.yaml
echo "cfn-lint: $(find infra/templates -name '*.yaml' | wc -l) templates are clean"
# It hands the scripts inside workflows to shellcheck.
"$HOME/go/bin/actionlint" -shellcheck "$(command -v shellcheck)" -pyflakes ""
echo "actionlint: $(find .github/workflows -name '*.yml' | wc -l) workflows are clean"
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard -- 'infra/**.sh' .ci | sort -u)
shellcheck "${scripts[@]}"
echo "shellcheck: ${#scripts[@]} scripts are clean"
