// Identities for tests: one authority per test process, a leaf for each workload.

import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { type Authority, openAuthority } from "../identity/authority.ts";
import { developmentIdentity, type Identity, type MeshName } from "../identity/identity.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** The mesh of tests. */
export const testMesh: MeshName = { trustDomain: "test.docket.local", namespace: "docket" };

let shared: Promise<Authority> | undefined;

async function makeAuthority(): Promise<Authority> {
  await using folder = await temporaryFolder();
  return await openAuthority(folder.path, testMesh.trustDomain, new Date());
}

/** An identity of a workload in the tests' mesh; all of a process trust each other. */
export async function testIdentity(workload: Workload): Promise<Identity> {
  shared ??= makeAuthority();
  return developmentIdentity(await shared, testMesh, workload, () => new Date());
}

/** The identities of several workloads, in their order. */
export function testIdentities<const W extends readonly Workload[]>(
  ...workloads: W
): Promise<{ [K in keyof W]: Identity }> {
  return Promise.all(workloads.map((workload) => testIdentity(workload))) as Promise<{ [K in keyof W]: Identity }>;
}
