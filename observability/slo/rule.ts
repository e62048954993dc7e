// Rules of Prometheus as data, and their YAML.
import { stringify } from "yaml";

/** How soon somebody must look: now, on the next working day, or never (the heartbeat). */
export type Severity = "page" | "ticket" | "none";

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels: Readonly<Record<string, string>> & { readonly severity: Severity };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

export interface RuleGroup {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly (RecordingRule | AlertRule)[];
}

/** What an alert is made of; its page is found by its name. */
export interface Alert {
  readonly name: string;
  readonly severity: Severity;
  readonly expr: string;
  readonly for?: string;
  readonly keepFiringFor?: string;
  /** One line. Templates of Prometheus may stand in it. */
  readonly summary: string;
  /** What it means for whom. */
  readonly description: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** An alert with the address of its page. Which repository it is in is told by Prometheus' external labels, since it differs. */
export function alertRule(alert: Alert): AlertRule {
  return {
    alert: alert.name,
    expr: alert.expr,
    ...(alert.for === undefined ? {} : { for: alert.for }),
    ...(alert.keepFiringFor === undefined ? {} : { keep_firing_for: alert.keepFiringFor }),
    labels: { severity: alert.severity, ...alert.labels },
    annotations: {
      summary: alert.summary,
      description: alert.description,
      runbook_url: `https://github.com/{{ $externalLabels.repository }}/blob/main/docs/operations/runbooks/${alert.name}.md`,
    },
  };
}

/** A file of rules. */
export function rulesFile(notice: string, groups: readonly RuleGroup[]): string {
  return `${notice}\n${stringify({ groups }, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
