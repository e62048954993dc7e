// Every RPC × every workload × every subject: allowed if and only if it is declared.

import { PermissionSchema } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { rpcs } from "@docket/contracts/registry";
import { describe, expect, it } from "@jest/globals";
import { playForeign } from "./foreign.ts";
import { type Cell, play } from "./play.ts";
import { rolePermissions } from "./subjects.ts";
import { openWorld, roleIds } from "./world.ts";

describe("the access matrix", () => {
  it("allows what is declared, and nothing else", async () => {
    await using world = await openWorld();

    // The tables that "declared" is computed from say what the instance says of its roles.
    const { roles } = await world.actors.owner.clients.roles.listRoles({ workspaceId: world.workspaceId });
    for (const [name, id] of Object.entries(roleIds) as [keyof typeof roleIds, string][]) {
      const permissions = roles.find((role) => role.id === id)?.permissions ?? [];
      expect([name, permissions.map((each) => enumName(PermissionSchema, each))]).toEqual([
        name,
        rolePermissions[name].map((each) => enumName(PermissionSchema, each)),
      ]);
    }

    const cells = await play(world);
    report(cells);
    const foreign = await playForeign(world);
    process.stderr.write(`  ${foreign.length} cells of health and reflection\n`);
    expect(new Set(cells.map(({ rpc }) => rpc.name)).size).toBe(rpcs.length);
    const wrong = [...cells, ...foreign].filter(({ declared, observed }) => declared !== observed);
    expect(wrong.map(({ name, declared, observed }) => `${name}: declared ${declared}, but ${observed}`)).toEqual([]);
  }, 300_000);
});

/** Prints how many cells there are, by service and by what is declared. */
function report(cells: readonly Cell[]): void {
  const count = (key: (cell: Cell) => string) => {
    const counts = new Map<string, number>();
    for (const cell of cells) counts.set(key(cell), (counts.get(key(cell)) ?? 0) + 1);
    return [...counts]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, n]) => `    ${String(n).padStart(6)}  ${name}\n`);
  };
  process.stderr.write(
    [
      `  ${cells.length} cells of ${rpcs.length} RPCs\n`,
      "  by service\n",
      ...count(({ rpc }) => rpc.service.typeName),
      "  by what is declared\n",
      ...count(({ declared }) => declared),
    ].join(""),
  );
}
