// All dashboards. What of them follows from the contract (services, RPCs, deadlines) is made from it.
import { edge } from "./edge.ts";
import { mesh } from "./mesh.ts";
import { overview } from "./overview.ts";
import type { Dashboard } from "./panel.ts";
import { oneRpc, serviceDashboards } from "./rpc.ts";
import { changes, queues } from "./work.ts";

export function dashboards(): Dashboard[] {
  return [overview(), ...serviceDashboards(), oneRpc(), queues(), changes(), edge(), mesh()];
}
