// Which request fields name the resource whose permission is checked.

import { type DescField, type DescMethod, getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import { field as fieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import {
  Permission,
  PermissionSchema,
  Principal,
  ResourceKind,
  ResourceKindSchema,
} from "../gen/docket/policy/v1/policy_pb.ts";
import { isKeyScope, policyOf, type ScopeField, scopesOf } from "../policy.ts";
import type { Refuse, RefuseRpc } from "./refusal.ts";

/** Refuses scopes that are missing, that nobody would look at, or that name nothing. */
export function lintScopes(method: DescMethod, refuseRpc: RefuseRpc, refuse: Refuse): void {
  const { access, principals } = policyOf(method);
  const scopes = scopesOf(method);
  if (access.case === "permission") {
    if (scopes.length === 0) refuseRpc("needs a permission and marks no request field as its scope.");
  } else if (scopes.length > 0 && access.case !== undefined) {
    refuseRpc(`marks ${scopes[0]?.field} as a scope and is ${access.case}: nobody would check it.`);
  }
  for (const scope of scopes) {
    const element = String(scope.desc).replace(/^field /, "");
    lintScope(scope, element, refuse);
    if (scope.permission !== undefined && principals !== Principal.PERSON && !isKeyScope(scope.permission)) {
      refuse(element, "needs a permission that no API key can carry; say principals: PRINCIPAL_PERSON on the RPC.");
    }
  }
}

function lintScope({ kind, permission, desc }: ScopeField, element: string, refuse: Refuse): void {
  if (kind === ResourceKind.UNSPECIFIED) refuse(element, "is a scope without a kind.");
  else if (!ResourceKindSchema.value[kind]) refuse(element, `is a scope of the unknown kind ${kind}.`);
  if (permission !== undefined && (permission === Permission.UNSPECIFIED || !PermissionSchema.value[permission])) {
    refuse(element, `is a scope with the unknown permission ${permission}.`);
  }
  if (!isStrings(desc)) refuse(element, "is a scope and no string; a scope is an id.");
  else if (kind !== ResourceKind.BLOB_TICKET && !isUuid(desc)) {
    refuse(element, "is a scope without the rule string.uuid; ids are UUIDs.");
  }
}

function isStrings(field: DescField): boolean {
  return (field.fieldKind === "scalar" || field.fieldKind === "list") && field.scalar === ScalarType.STRING;
}

function isUuid(field: DescField): boolean {
  if (!hasOption(field, fieldRules)) return false;
  const { type } = getOption(field, fieldRules);
  const rules = type.case === "repeated" ? type.value.items?.type : type;
  return rules?.case === "string" && rules.value.wellKnown.case === "uuid";
}
