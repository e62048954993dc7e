/**
 * What the contracts say of an RPC, read from the options of its descriptor and typed. The interceptors, the edge, the mesh's
 * policies, the access matrix and the reference pages all read it here. Anybody may import it; it knows no server and no client.
 */
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescService,
  getOption,
  hasOption,
  type Message,
} from "@bufbuild/protobuf";
import { type Duration, MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import { type Reason, ReasonSchema, reason as reasonOption } from "./gen/docket/error/v1/reason_pb.ts";
import {
  key_scope,
  Permission,
  PermissionSchema,
  type Policy,
  Principal,
  policy as policyOption,
  RateClass,
  type ResourceKind,
  ResourceKindSchema,
  scope as scopeOption,
  Workload,
  WorkloadSchema,
} from "./gen/docket/policy/v1/policy_pb.ts";

/** The number of a gRPC status code; the same as `Code` of Connect. */
export type StatusCode = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16;

/** The gRPC status codes by the names that reasons use. */
export const statusCodes: Readonly<Record<string, StatusCode>> = {
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

/** The largest request when the policy names none, in bytes. */
export const defaultMaxRequestBytes = 1024 * 1024;

/** All workloads that exist, in the order of their numbers. */
export const workloads: readonly Workload[] = Object.values(Workload).filter((value) => value !== Workload.UNSPECIFIED);

/** A service whose contract is not ours and can carry no policy. */
export interface ForeignService {
  /** The full name, for example `grpc.health.v1.Health`. */
  typeName: string;
  /** Who may call it inside the mesh. */
  callers: readonly Workload[];
  /** `always`, or only where the setting of the same name turns it on. */
  served: "always" | "reflection";
  /** What the edge shows of it: all, or only what concerns the RPCs that the edge publishes. */
  edge: "all" | "published";
  /** The longest time of its unary calls, in milliseconds. */
  deadlineMs: number;
}

const reflectionCallers: readonly Workload[] = [Workload.GATEWAY, Workload.OPERATOR];
const reflection = { callers: reflectionCallers, served: "reflection", edge: "published", deadlineMs: 2000 } as const;

/** Health and reflection: the only services without a policy option. Runtime, matrix and mesh plugin read this table. */
export const foreignServices: readonly ForeignService[] = [
  { typeName: "grpc.health.v1.Health", callers: workloads, served: "always", edge: "all", deadlineMs: 2000 },
  { typeName: "grpc.reflection.v1.ServerReflection", ...reflection },
  { typeName: "grpc.reflection.v1alpha.ServerReflection", ...reflection },
];

/** The row of the foreign service of this name, or undefined. */
export function foreignService(typeName: string): ForeignService | undefined {
  return foreignServices.find((service) => service.typeName === typeName);
}

/** Whether the RPC says what may be done with it. */
export function hasPolicy(method: DescMethod): boolean {
  return hasOption(method, policyOption);
}

const policies = new WeakMap<DescMethod, Policy>();

/** The policy of an RPC of ours. Throws when it has none: that is a defect which the linter refuses. */
export function policyOf(method: DescMethod): Policy {
  const known = policies.get(method);
  if (known) return known;
  if (!hasPolicy(method)) throw new Error(`${rpcNameOf(method)} has no policy.`);
  const policy = getOption(method, policyOption);
  policies.set(method, policy);
  return policy;
}

/** The full name of an RPC, for example `docket.document.v1.DocumentService/GetDocument`. */
export function rpcNameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** The workloads that may call it, foreign services included; none when a service is neither ours nor in the table. */
export function callersOf(method: DescMethod): readonly Workload[] {
  const foreign = foreignService(method.parent.typeName);
  if (foreign) return foreign.callers;
  return hasPolicy(method) ? policyOf(method).callers : [];
}

/** One request field (or several of one repeated message) that names resources whose permission is checked. */
export interface ScopeField {
  /** The path in the request, in proto names, for example `start.workspace_id`. */
  field: string;
  /** What kind of resource the ids name. */
  kind: ResourceKind;
  /** The permission needed on it; undefined means the RPC's own. */
  permission: Permission | undefined;
  /** The descriptor of the field itself. */
  desc: DescField;
  /** The ids that a request names in this field; empty when it is not set. */
  read(message: Message): string[];
}

const scopes = new WeakMap<DescMethod, readonly ScopeField[]>();

/** The scope fields of an RPC's request, nested ones included. Of a client stream only the first message holds them. */
export function scopesOf(method: DescMethod): readonly ScopeField[] {
  let known = scopes.get(method);
  if (!known) {
    known = findScopes(method.input, [], new Set());
    scopes.set(method, known);
  }
  return known;
}

function findScopes(desc: DescMessage, path: readonly DescField[], above: ReadonlySet<string>): ScopeField[] {
  if (above.has(desc.typeName)) return [];
  const within = new Set(above).add(desc.typeName);
  return desc.fields.flatMap((field) => {
    const fields = [...path, field];
    if (hasOption(field, scopeOption)) {
      const { kind, permission } = getOption(field, scopeOption);
      return [
        {
          field: fields.map(({ name }) => name).join("."),
          kind,
          permission: permission === Permission.UNSPECIFIED ? undefined : permission,
          desc: field,
          read: (message: Message) => readPath(message, fields),
        },
      ];
    }
    const inner = field.fieldKind === "message" || field.fieldKind === "list" ? field.message : undefined;
    return inner ? findScopes(inner, fields, within) : [];
  });
}

function readPath(message: Message, path: readonly DescField[]): string[] {
  let values: unknown[] = [message];
  for (const field of path)
    values = values.flatMap((value) => readField(value as Message & Record<string, unknown>, field));
  return values.filter((value): value is string => typeof value === "string" && value !== "");
}

function readField(message: Record<string, unknown>, field: DescField): unknown[] {
  let value: unknown;
  if (field.oneof) {
    const arm = message[field.oneof.localName] as { case?: string; value?: unknown };
    value = arm.case === field.localName ? arm.value : undefined;
  } else {
    value = message[field.localName];
  }
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/**
 * The scope that an API key must carry: the permission of `permission`, the key_scope of `filtered` and `authenticated`.
 * Undefined when keys may not call the RPC, or when nobody need be signed in.
 */
export function keyScopeOf(method: DescMethod): Permission | undefined {
  const { access, principals } = policyOf(method);
  if (principals === Principal.PERSON) return undefined;
  if (access.case === "permission") return access.value;
  if (access.case !== "filtered" && access.case !== "authenticated") return undefined;
  return access.value.keyScope === Permission.UNSPECIFIED ? undefined : access.value.keyScope;
}

/** Whether a permission value may be granted to an API key. */
export function isKeyScope(permission: Permission): boolean {
  const value = PermissionSchema.value[permission];
  return value !== undefined && getOption(value, key_scope);
}

/** The permissions that API keys may carry as scopes. */
export const keyScopes: readonly Permission[] = PermissionSchema.values
  .map((value) => value.number as Permission)
  .filter(isKeyScope);

/** Whether the RPC promises to change nothing, so that it may be sent as a GET. */
export function isSideEffectFree(method: DescMethod): boolean {
  return method.idempotency === Idempotency.NO_SIDE_EFFECTS;
}

/** Whether the RPC may be sent twice with the effect of once. */
export function isIdempotent(method: DescMethod): boolean {
  return method.idempotency !== Idempotency.IDEMPOTENCY_UNKNOWN;
}

/** The cost class at the edge's limits: what the policy says, else READ for side-effect-free RPCs and WRITE for others. */
export function rateClassOf(method: DescMethod): RateClass {
  const { rate } = policyOf(method);
  if (rate !== RateClass.UNSPECIFIED) return rate;
  return isSideEffectFree(method) ? RateClass.READ : RateClass.WRITE;
}

/** The longest time that a unary call may take, in milliseconds. Throws for streams, which have `streamTimeOf`. */
export function deadlineMsOf(method: DescMethod): number {
  const foreign = foreignService(method.parent.typeName);
  if (foreign) return foreign.deadlineMs;
  const { time } = policyOf(method);
  if (time.case !== "deadline") throw new Error(`${rpcNameOf(method)} has no deadline.`);
  return millisecondsOf(time.value);
}

/** The time limits of a stream, in milliseconds. Throws for unary calls, which have `deadlineMsOf`. */
export function streamTimeOf(method: DescMethod): { idleMs: number; maxAgeMs: number } {
  const { time } = policyOf(method);
  if (time.case !== "stream") throw new Error(`${rpcNameOf(method)} has no time limits of a stream.`);
  return { idleMs: millisecondsOf(time.value.idle), maxAgeMs: millisecondsOf(time.value.maxAge) };
}

/** How often a failed call is tried again, beside the first try; 0 where the contract says nothing. */
export function retriesOf(method: DescMethod): number {
  return foreignService(method.parent.typeName) ? 0 : (policyOf(method).retry?.attempts ?? 0);
}

/** The largest encoded request, or message of a client stream, in bytes. */
export function maxRequestBytesOf(method: DescMethod): number {
  const foreign = foreignService(method.parent.typeName);
  return (foreign === undefined && policyOf(method).maxRequestBytes) || defaultMaxRequestBytes;
}

/** The reasons that its handler may fail with, beside those of the chain. */
export function reasonsOf(method: DescMethod): readonly Reason[] {
  return policyOf(method).reasons;
}

/** What a reason means on the wire. */
export interface ReasonMeaning {
  /** The gRPC status code it travels with. */
  code: StatusCode;
  /** The metadata keys that come with it. */
  metadata: readonly string[];
  /** Whether the chain or the edge gives it, so that any RPC may fail with it. */
  chain: boolean;
}

const meanings = new Map<Reason, ReasonMeaning>(
  ReasonSchema.values
    .filter((value) => hasOption(value, reasonOption))
    .map((value) => {
      const { code, metadata, chain } = getOption(value, reasonOption);
      return [value.number as Reason, { code: statusCodes[code] ?? statusCodes.INTERNAL ?? 13, metadata, chain }];
    }),
);

const unknownMeaning: ReasonMeaning = { code: 13, metadata: [], chain: false };

/** What a reason means on the wire. A value that this build does not know means INTERNAL. */
export function reasonOptions(reason: Reason): ReasonMeaning {
  return meanings.get(reason) ?? unknownMeaning;
}

/** The reasons that the chain or the edge may give to any RPC. */
export function chainReasons(): Reason[] {
  return [...meanings].filter(([, { chain }]) => chain).map(([reason]) => reason);
}

/** The name of a workload in its SPIFFE id, host name and log lines: `gateway`. UNSPECIFIED is `unspecified`. */
export function workloadName(workload: Workload): string {
  return enumName(WorkloadSchema, workload).toLowerCase();
}

/** The workload of this name, or undefined. */
export function workloadNamed(name: string): Workload | undefined {
  return workloads.find((workload) => workloadName(workload) === name);
}

/** The workload that serves a service: the noun of its package (`docket.<noun>.v1`). Throws when there is none. */
export function workloadOf(service: DescService): Workload {
  const [product, noun] = service.file.proto.package.split(".");
  const workload = product === "docket" ? workloadNamed(noun ?? "") : undefined;
  if (workload === undefined) throw new Error(`${service.typeName} belongs to no workload.`);
  return workload;
}

/** A kind of resource as NOT_FOUND's metadata says it: `document`, `api_key`. */
export function resourceName(kind: ResourceKind): string {
  return enumName(ResourceKindSchema, kind).toLowerCase();
}

/** The name of an enum value without its prefix (`DOCUMENT_VIEW`); its number when this build does not know it. */
export function enumName(schema: DescEnum, value: number): string {
  return schema.value[value]?.localName ?? String(value);
}

/** A duration of the contract in milliseconds; absent is 0. */
export function millisecondsOf(duration: Duration | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}
