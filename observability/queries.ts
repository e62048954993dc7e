// What rules and dashboards ask Prometheus for, taken out of the files that are generated: every expression, and the metrics in it.
import { dashboards } from "./dashboards/dashboards.ts";
import { ruleGroups } from "./slo/rules.ts";

/** One expression, and where it stands. */
export interface Asked {
  readonly where: string;
  readonly expr: string;
}

/** Every expression of every rule. */
export function ruleQueries(): Asked[] {
  return ruleGroups().flatMap(({ rules }) =>
    rules.map((rule) => ({ where: "alert" in rule ? rule.alert : rule.record, expr: rule.expr })),
  );
}

/** Every expression of every panel, with values in place of Grafana's variables. */
export function dashboardQueries(): Asked[] {
  return dashboards().flatMap(({ name, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap(({ title, queries }) =>
        queries.map(({ expr }) => ({
          where: `${name}: ${title}`,
          expr: expr
            .replaceAll("$__rate_interval", "5m")
            .replaceAll("$rpc_method", "docket.user.v1.UserService/GetUser"),
        })),
      ),
    ),
  );
}

/** What is no name of a metric though it looks like one: functions, operators and words of PromQL. */
const words = new Set(
  "sum by count rate increase max min avg_over_time min_over_time sum_over_time histogram_quantile clamp_min resets absent topk sort vector and or unless on ignoring group_left group_right without le".split(
    " ",
  ),
);

/** The metrics that an expression names, and the labels that it selects or groups by. */
export function namesOf(expr: string): { readonly metrics: Set<string>; readonly labels: Set<string> } {
  const labels = new Set<string>();
  const selectors = /\{([^{}]*)\}/g;
  const withoutStrings = expr.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  for (const [, inner = ""] of withoutStrings.matchAll(selectors))
    for (const [, label = ""] of inner.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)) labels.add(label);
  const groupings = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
  for (const [, inner = ""] of withoutStrings.matchAll(groupings))
    for (const label of inner.split(",")) if (label.trim() !== "") labels.add(label.trim());
  const rest = withoutStrings
    .replace(selectors, "")
    .replace(groupings, " ")
    .replace(/\[[^\]]*\]/g, "");
  const metrics = new Set(
    [...rest.matchAll(/[a-z_][a-z0-9_:]*/gi)].map(([name]) => name).filter((name) => !words.has(name)),
  );
  return { metrics, labels };
}
