// What the contract says of an RPC, read from its options: the only reading of them. Interceptors, the edge, the mesh's
// plugin, the access matrix and the reference pages all ask here. Runs in Node and in browsers.

import {
  type DescEnum,
  type DescEnumValue,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescService,
  getOption,
  hasOption,
  type Message,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import { Reason, ReasonSchema, reason as reasonOption } from "./gen/docket/error/v1/reason_pb.ts";
import {
  key_scope,
  Permission,
  PermissionSchema,
  type Policy,
  policy,
  RateClass,
  type ResourceKind,
  ResourceKindSchema,
  scope,
  Workload,
  WorkloadSchema,
} from "./gen/docket/policy/v1/policy_pb.ts";

/** The policy of an RPC. Throws when it has none: what has no policy is not served, generated for, or routed. */
export function policyOf(method: DescMethod): Policy {
  if (!hasOption(method, policy)) throw new Error(`${rpcNameOf(method)} has no policy`);
  return getOption(method, policy);
}

/** `docket.document.v1.DocumentService/GetDocument`. */
export function rpcNameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** The name of an enum value without its prefix (`DOCUMENT_VIEW`), or its number when this contract does not know it. */
export function enumName(schema: DescEnum, value: number): string {
  return schema.value[value]?.localName ?? String(value);
}

/** Every workload that exists. */
export const workloads: readonly Workload[] = [
  Workload.GATEWAY,
  Workload.WEB,
  Workload.USER,
  Workload.DOCUMENT,
  Workload.STORAGE,
  Workload.INTEGRATION,
  Workload.INGRESS,
  Workload.OPERATOR,
];

/** The name of a workload as it stands in its SPIFFE id: `gateway`. */
export function workloadName(workload: Workload): string {
  return enumName(WorkloadSchema, workload).toLowerCase();
}

/** The workload of a name, or undefined. */
export function workloadNamed(name: string): Workload | undefined {
  return workloads.find((workload) => workloadName(workload) === name);
}

/** The workload that serves a service: the noun of its package (`docket.<noun>.v1`). */
export function workloadOf(service: DescService): Workload {
  const workload = workloadNamed(service.typeName.split(".")[1] ?? "");
  if (workload === undefined) throw new Error(`${service.typeName} belongs to no workload`);
  return workload;
}

/**
 * Services of others, whose files cannot carry our option. Health may be asked by every workload; reflection by the
 * gateway and the operator, and a service answers it only where its setting says so.
 */
export const foreignCallers: Readonly<Record<string, readonly Workload[]>> = {
  "grpc.health.v1.Health": workloads,
  "grpc.reflection.v1.ServerReflection": [Workload.GATEWAY, Workload.OPERATOR],
  "grpc.reflection.v1alpha.ServerReflection": [Workload.GATEWAY, Workload.OPERATOR],
};

/** The workloads that may call a method. */
export function callersOf(method: DescMethod): readonly Workload[] {
  return foreignCallers[method.parent.typeName] ?? policyOf(method).callers;
}

/** The longest time of a unary RPC, in milliseconds. */
export function deadlineMsOf(method: DescMethod): number {
  if (method.parent.typeName in foreignCallers) return 2000;
  const { time } = policyOf(method);
  if (time.case !== "deadline") throw new Error(`${rpcNameOf(method)} has no deadline`);
  return durationMs(time.value);
}

/** The time limits of a stream, in milliseconds. */
export function streamTimeOf(method: DescMethod): { idleMs: number; maxAgeMs: number } {
  const { time } = policyOf(method);
  if (time.case !== "stream") throw new Error(`${rpcNameOf(method)} has no time limits of a stream`);
  return { idleMs: ms(time.value.idle), maxAgeMs: ms(time.value.maxAge) };
}

function ms(duration: Duration | undefined): number {
  return duration === undefined ? 0 : durationMs(duration);
}

/** How often a call may be tried again; 0 where the contract says nothing. */
export function retriesOf(method: DescMethod): number {
  if (method.parent.typeName in foreignCallers) return 0;
  return policyOf(method).retry?.attempts ?? 0;
}

/** The largest encoded request, or message of a client stream, in bytes. Default: 1 MiB. */
export function maxRequestBytesOf(method: DescMethod): number {
  return policyOf(method).maxRequestBytes || 1 << 20;
}

/** The cost class of a call at the edge: the one that the policy names, or READ and WRITE by side effects. */
export function rateClassOf(method: DescMethod): RateClass {
  const { rate } = policyOf(method);
  if (rate !== RateClass.UNSPECIFIED) return rate;
  return isSideEffectFree(method) ? RateClass.READ : RateClass.WRITE;
}

/** Whether an RPC promises to change nothing, so that it may be sent as a GET. */
export function isSideEffectFree(method: DescMethod): boolean {
  return method.idempotency === 1;
}

/** Whether an RPC may be sent twice with the effect of once. */
export function isIdempotent(method: DescMethod): boolean {
  return method.idempotency !== undefined && method.idempotency !== 0;
}

/** A field of a request that names a resource whose permission is checked. */
export interface ScopeField {
  /** Its path in the request: `document_id` or `start.upload_id`. */
  readonly field: string;
  readonly kind: ResourceKind;
  /** The permission needed on it; undefined = the RPC's own. */
  readonly permission: Permission | undefined;
  /** The ids in a request; none when the field is not set. */
  read(message: Message): string[];
}

const scopeFields = new WeakMap<DescMethod, readonly ScopeField[]>();

/** The scope fields of an RPC's request, in nested messages too. */
export function scopesOf(method: DescMethod): readonly ScopeField[] {
  const known = scopeFields.get(method);
  if (known !== undefined) return known;
  const found = findScopes(method.input, [], new Set());
  scopeFields.set(method, found);
  return found;
}

function findScopes(message: DescMessage, path: readonly DescField[], seen: Set<DescMessage>): ScopeField[] {
  if (seen.has(message)) return [];
  const within = new Set(seen).add(message);
  return message.fields.flatMap((field) => {
    const here = [...path, field];
    if (hasOption(field, scope)) {
      const { kind, permission } = getOption(field, scope);
      const own = permission === Permission.UNSPECIFIED ? undefined : permission;
      return [
        {
          field: here.map(({ name }) => name).join("."),
          kind,
          permission: own,
          read: (from: Message) => readIds(from, here),
        },
      ];
    }
    const nested = field.fieldKind === "message" || (field.fieldKind === "list" && field.listKind === "message");
    return nested && field.message ? findScopes(field.message, here, within) : [];
  });
}

function readIds(message: Message, path: readonly DescField[]): string[] {
  let values: unknown[] = [message];
  let schema = path[0]?.parent;
  for (const field of path) {
    const desc = schema as DescMessage;
    values = values.flatMap((value) => {
      const view = reflect(desc, value as Message);
      if (!view.isSet(field)) return [];
      const inner = (value as Record<string, unknown>)[field.localName];
      const picked = field.oneof ? (value as Record<string, { value?: unknown }>)[field.oneof.localName]?.value : inner;
      return Array.isArray(picked) ? picked : [picked];
    });
    schema = field.message;
  }
  return values.filter((value): value is string => typeof value === "string" && value !== "");
}

/** What a reason means on the wire. */
export interface ReasonMeaning {
  /** The number of its gRPC status code. */
  readonly code: number;
  /** The metadata keys that come with it. */
  readonly metadata: readonly string[];
  /** Whether any RPC may fail with it, without listing it. */
  readonly chain: boolean;
}

/** The gRPC status codes by name (https://grpc.io/docs/guides/status-codes/). */
export const statusCodes: Readonly<Record<string, number>> = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};

const meanings = new Map<Reason, ReasonMeaning>(
  ReasonSchema.values.map((value) => [value.number as Reason, meaningOf(value)]),
);

function meaningOf(value: DescEnumValue): ReasonMeaning {
  const { code, metadata, chain } = getOption(value, reasonOption);
  return { code: statusCodes[code] ?? statusCodes.INTERNAL ?? 13, metadata, chain };
}

/** What a reason means; a value of a newer contract counts as INTERNAL. */
export function reasonOptions(reason: Reason): ReasonMeaning {
  return meanings.get(reason) ?? { code: 13, metadata: [], chain: true };
}

/** The kind of a resource as people call it: `document`, `api key`. */
export function resourceName(kind: ResourceKind): string {
  return enumName(ResourceKindSchema, kind).toLowerCase().replaceAll("_", " ");
}

/** The permissions that an API key may carry as scopes. */
export const keyScopes: readonly Permission[] = PermissionSchema.values
  .filter((value) => getOption(value, key_scope))
  .map((value) => value.number as Permission);
