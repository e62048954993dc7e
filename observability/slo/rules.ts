// All rules of Prometheus, in groups.
import { burnAlerts } from "./burn_alerts.ts";
import { causeAlerts } from "./cause_alerts.ts";
import { recordingGroups } from "./recording.ts";
import { type Alert, alertRule, type RuleGroup } from "./rule.ts";

/** Every alert; one name may have several rules. */
export function alerts(): Alert[] {
  return [...burnAlerts(), ...causeAlerts()];
}

export function ruleGroups(): RuleGroup[] {
  return [
    ...recordingGroups(),
    { name: "docket-budgets", interval: "1m", rules: burnAlerts().map(alertRule) },
    { name: "docket-causes", interval: "1m", rules: causeAlerts().map(alertRule) },
  ];
}
