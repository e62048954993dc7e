// What an operator may see and mend in the integration service's database, beside a service that runs or without one.

import { type AdminOptions, adminOf, type DatabaseAdmin, openForAdmin } from "@docket/runtime/admin";
import { databaseOf } from "@docket/runtime/service_settings";
import type { IntegrationConfig } from "./config.ts";
import { entities } from "./store/entities.ts";
import { migrations } from "./store/migrations/index.ts";

/** The operator's hand on the integration service's database. */
export type IntegrationAdmin = DatabaseAdmin;

/** Opens the integration service's database for an operator. Throws StartError. */
export async function openIntegrationAdmin(
  config: IntegrationConfig,
  options?: AdminOptions,
): Promise<IntegrationAdmin> {
  const db = await openForAdmin({ ...databaseOf(config), name: "integration", entities, migrations }, options);
  return adminOf(db);
}
