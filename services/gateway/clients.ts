// Every service that the edge calls: its outgoing edges. Published RPCs are forwarded through `transport`.

import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { ArchiveService } from "@docket/contracts/gen/docket/document/v1/archive_service_pb.ts";
import { VersionService } from "@docket/contracts/gen/docket/document/v1/version_service_pb.ts";
import { TransferService } from "@docket/contracts/gen/docket/storage/v1/transfer_service_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { UsageService } from "@docket/contracts/gen/docket/storage/v1/usage_service_pb.ts";
import { TokenService } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";
import { UserChangeService } from "@docket/contracts/gen/docket/user/v1/user_change_service_pb.ts";
import { Health } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { workloadName, workloadOf } from "@docket/contracts/policy";
import { edgeRpcs } from "@docket/contracts/registry";
import type { Mesh } from "@docket/runtime/mesh";
import type { ServiceHealth } from "./http/readiness.ts";

export interface GatewayClients {
  /** Where a published service is served. */
  readonly transport: (service: DescService) => Transport;
  readonly tokens: Client<typeof TokenService>;
  readonly userChanges: Client<typeof UserChangeService>;
  readonly archives: Client<typeof ArchiveService>;
  readonly versions: Client<typeof VersionService>;
  readonly uploads: Client<typeof UploadService>;
  readonly transfers: Client<typeof TransferService>;
  readonly usage: Client<typeof UsageService>;
  /** One for each workload that serves published RPCs. */
  readonly health: readonly ServiceHealth[];
}

export function gatewayClients(mesh: Mesh): GatewayClients {
  return {
    transport: (service) => mesh.transport(service),
    tokens: mesh.client(TokenService),
    userChanges: mesh.client(UserChangeService),
    archives: mesh.client(ArchiveService),
    versions: mesh.client(VersionService),
    uploads: mesh.client(UploadService),
    transfers: mesh.client(TransferService),
    usage: mesh.client(UsageService),
    health: healthClients(mesh),
  };
}

function healthClients(mesh: Mesh): ServiceHealth[] {
  const byWorkload = new Map<string, DescService>();
  for (const { service } of edgeRpcs()) byWorkload.set(workloadName(workloadOf(service)), service);
  return [...byWorkload].map(([name, service]) => ({ name, client: createClient(Health, mesh.transport(service)) }));
}
