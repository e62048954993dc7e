// What may arrive in a request: every field that could be too large or undefined has a rule, however deep it lies.

import {
  type DescField,
  type DescMessage,
  type DescMethod,
  getOption,
  hasOption,
  isFieldSet,
  ScalarType,
} from "@bufbuild/protobuf";
import {
  BytesRulesSchema,
  EnumRulesSchema,
  type FieldRules,
  field as fieldRules,
  Ignore,
  StringRulesSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Refuse, RefuseRpc } from "./refusal.ts";

/** Formats whose values cannot be long. */
const boundedFormats: ReadonlySet<string> = new Set(["uuid", "tuuid", "ulid", "ip", "ipv4", "ipv6", "hostname"]);

/** Refuses names that differ from the convention and request fields without a bound. */
export function lintRequest(method: DescMethod, refuseRpc: RefuseRpc, refuse: Refuse): void {
  const { input, output, name } = method;
  if (input.name !== `${name}Request`) refuseRpc(`takes ${input.name}; call its request ${name}Request.`);
  if (output.name !== `${name}Response`) refuseRpc(`returns ${output.name}; call its response ${name}Response.`);
  lintMessage(input, new Set(), refuse);
}

function lintMessage(message: DescMessage, seen: Set<string>, refuse: Refuse): void {
  if (seen.has(message.typeName) || !message.typeName.startsWith("docket.")) return;
  seen.add(message.typeName);
  for (const field of message.fields) {
    const rules = hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
    const missing = missingRule(field, rules);
    if (missing) refuse(`${message.typeName}.${field.name}`, missing);
    if ("message" in field && field.message) lintMessage(field.message, seen, refuse);
  }
}

/** What the field lacks, as a sentence, or undefined. */
function missingRule(field: DescField, rules: FieldRules | undefined): string | undefined {
  if (rules?.ignore === Ignore.ALWAYS) return "ignores its rules; every request field is checked.";
  switch (field.fieldKind) {
    case "list": {
      const list = rules?.type.case === "repeated" ? rules.type.value : undefined;
      if (!list || list.maxItems === 0n) return "is repeated without repeated.max_items.";
      return field.listKind === "message"
        ? undefined
        : missingValueRule(field.scalar, field.enum, list.items, "repeated.items.");
    }
    case "map": {
      const map = rules?.type.case === "map" ? rules.type.value : undefined;
      if (!map || map.maxPairs === 0n) return "is a map without map.max_pairs.";
      return (
        missingValueRule(field.mapKey, undefined, map.keys, "map.keys.") ??
        (field.mapKind === "message"
          ? undefined
          : missingValueRule(field.scalar, field.enum, map.values, "map.values."))
      );
    }
    case "message":
      if (field.message.typeName !== "google.protobuf.FieldMask") return undefined;
      return rules?.type.case === "fieldMask" && rules.type.value.in.length > 0
        ? undefined
        : "is a field mask without field_mask.in; say which paths may change.";
    default:
      return missingValueRule(field.scalar, field.enum, rules, "");
  }
}

function missingValueRule(
  scalar: ScalarType | undefined,
  enumDesc: unknown,
  rules: FieldRules | undefined,
  prefix: string,
): string | undefined {
  if (scalar === ScalarType.STRING && !isBoundedString(rules)) {
    return `is a string without a bound; add ${prefix}string.max_len, uuid, in or const.`;
  }
  if (scalar === ScalarType.BYTES && !isBoundedBytes(rules)) {
    return `holds bytes without a bound; add ${prefix}bytes.max_len or len.`;
  }
  if (enumDesc !== undefined && !isDefinedEnum(rules)) {
    return `is an enum that may be anything; add ${prefix}enum.defined_only or in.`;
  }
  return undefined;
}

function isBoundedString(rules: FieldRules | undefined): boolean {
  if (rules?.type.case !== "string") return false;
  const string = rules.type.value;
  return (
    string.maxLen > 0n ||
    string.len > 0n ||
    string.maxBytes > 0n ||
    string.lenBytes > 0n ||
    string.in.length > 0 ||
    isFieldSet(string, StringRulesSchema.field.const) ||
    boundedFormats.has(string.wellKnown.case ?? "")
  );
}

function isBoundedBytes(rules: FieldRules | undefined): boolean {
  if (rules?.type.case !== "bytes") return false;
  const bytes = rules.type.value;
  return bytes.maxLen > 0n || bytes.len > 0n || bytes.in.length > 0 || isFieldSet(bytes, BytesRulesSchema.field.const);
}

function isDefinedEnum(rules: FieldRules | undefined): boolean {
  if (rules?.type.case !== "enum") return false;
  const { definedOnly, in: allowed } = rules.type.value;
  return definedOnly || allowed.length > 0 || isFieldSet(rules.type.value, EnumRulesSchema.field.const);
}
