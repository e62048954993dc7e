// What a request builder is: for each RPC one form or several, each a valid request against the prepared world.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { RpcMethod, RpcName } from "@docket/contracts/registry";
import type { Relation } from "./declared.ts";
import type { Room } from "./room.ts";
import type { Actor } from "./subjects.ts";

/** A request with what the matrix must know of it. */
export interface Built<Name extends RpcName> {
  /** The request; several messages for a client stream. */
  readonly request: MessageInitShape<RpcMethod<Name>["input"]> | MessageInitShape<RpcMethod<Name>["input"]>[];
  /** What the named thing is to the subject, where it is not simply in the workspace or the folder. */
  readonly relation?: Relation;
  /** Somebody who stands in for the subject, since the call would end its session. */
  readonly as?: Actor;
  /** Of a filtered answer: the id that it holds if and only if the subject holds this permission on the thing. */
  readonly shows?: Shown;
  /**
   * Where the contract's prose asks for more than its scope says: whether the subject has that too. Such a refusal comes
   * from the handler.
   */
  readonly more?: boolean;
  /** Reasons that mean "you may, but not now": the thing is not in the right state in this world. */
  readonly otherwise?: readonly Reason[];
}

/** What a filtered answer is looked through for. */
export interface Shown {
  readonly id: string;
  /** Whom the answer holds it for. */
  readonly to: { readonly kind: ResourceKind; readonly permission: Permission; readonly relation?: Relation };
}

/** Makes one form of a request. */
export type Form<Name extends RpcName> = (room: Room) => Built<Name> | Promise<Built<Name>>;

/** Makes a valid request, in one form or in several that name different things. */
export type RequestBuilder<Name extends RpcName> = Form<Name> | Readonly<Record<string, Form<Name>>>;

/** A builder for each RPC of a package or service: one that is missing does not compile. */
export type BuildersOf<Place extends string> = {
  readonly [Name in Extract<RpcName, `${Place}.${string}` | `${Place}/${string}`>]: RequestBuilder<Name>;
};

/** The forms of a builder by name; a single one has no name. */
export function formsOf(builder: RequestBuilder<RpcName>): [string, Form<RpcName>][] {
  return typeof builder === "function" ? [["", builder]] : Object.entries(builder);
}
