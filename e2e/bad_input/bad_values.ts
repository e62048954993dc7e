// Values that break the rules of one field, by the type of the rule.

import { type DescField, isFieldSet, type Message, ScalarType } from "@bufbuild/protobuf";
import { type FieldRules, FieldRulesSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { sampleItem } from "./sample.ts";

/** A value and the rule that it breaks. */
export interface BadValue {
  readonly rule: string;
  readonly value: unknown;
}

/** What patterns of names, addresses, secrets and media types refuse. Not each refuses all; those that do not are dropped. */
const oddTexts = ["a\u0000b", "a\u202eb", "../up", "a b\n", "\u2066!", "?"];

/** The rules that something here, or break.ts, knows how to break. */
const known: Readonly<Record<string, readonly string[]>> = {
  string: ["len", "min_len", "max_len", "pattern", "not_in", "uuid", "email"],
  bytes: ["len", "min_len", "max_len"],
  enum: ["defined_only", "in", "not_in"],
  bool: ["const"],
  int32: ["lt", "lte", "gt", "gte"],
  uint32: ["lt", "lte", "gt", "gte"],
  int64: ["lt", "lte", "gt", "gte"],
  repeated: ["min_items", "max_items", "unique", "items"],
  timestamp: ["gt_now"],
  duration: ["gte", "lte"],
  field_mask: ["in"],
};

/** Throws for a rule that nothing breaks, so that a new kind of rule in a proto is not passed over in silence. */
export function refuseUnknownRules(field: DescField, rules: FieldRules | undefined): void {
  if (rules?.type.case === undefined) return;
  const type = FieldRulesSchema.fields.find(({ localName }) => localName === rules.type.case);
  for (const rule of type?.message?.fields ?? []) {
    if (!isFieldSet(rules.type.value as Message, rule) || known[type?.name ?? ""]?.includes(rule.name)) continue;
    throw new Error(`${field.toString()} has the rule ${type?.name}.${rule.name}, which bad_values.ts cannot break.`);
  }
}

/** Values of one field that is no list and no message. */
export function badValues(field: DescField, rules: FieldRules | undefined): BadValue[] {
  if (rules === undefined) return [];
  switch (rules.type.case) {
    case "string":
      return badTexts(rules.type.value);
    case "bytes": {
      const { len, minLen, maxLen } = rules.type.value;
      return [
        ...(len > 0n ? [{ rule: "bytes.len", value: new Uint8Array(Number(len) - 1) }] : []),
        ...(minLen > 0n ? [{ rule: "bytes.min_len", value: new Uint8Array(Number(minLen) - 1) }] : []),
        ...(maxLen > 0n ? [{ rule: "bytes.max_len", value: new Uint8Array(Number(maxLen) + 1) }] : []),
      ];
    }
    case "enum": {
      const { definedOnly, in: among, notIn } = rules.type.value;
      const others = field.enum?.values.map(({ number }) => number).filter((each) => !among.includes(each)) ?? [];
      return [
        ...(definedOnly ? [{ rule: "enum.defined_only", value: 9999 }] : []),
        ...(among.length > 0 ? [...others.slice(0, 1), 9999].map((value) => ({ rule: "enum.in", value })) : []),
        ...notIn.map((value) => ({ rule: "enum.not_in", value })),
      ];
    }
    case "bool":
      return [{ rule: "bool.const", value: !rules.type.value.const }];
    case "int32":
    case "uint32":
    case "int64":
      return badNumbers(rules.type.case, rules.type.value, field.scalar === ScalarType.INT64);
    default:
      return [];
  }
}

interface Bounds {
  readonly lessThan: { readonly case: "lt" | "lte"; readonly value: number | bigint } | { readonly case: undefined };
  readonly greaterThan: { readonly case: "gt" | "gte"; readonly value: number | bigint } | { readonly case: undefined };
}

function badNumbers(type: string, { lessThan, greaterThan }: Bounds, big: boolean): BadValue[] {
  const names = [greaterThan.case, lessThan.case].filter((name) => name !== undefined);
  const rule = `${type}.${names.join("_")}`;
  const sized = (value: bigint) => (big ? value : Number(value));
  const bad: BadValue[] = [];
  if (greaterThan.case !== undefined) {
    const value = BigInt(greaterThan.value) - (greaterThan.case === "gte" ? 1n : 0n);
    // What is unsigned has nothing below 0.
    if (value >= 0n || !type.startsWith("u")) bad.push({ rule, value: sized(value) });
  }
  if (lessThan.case !== undefined) {
    bad.push({ rule, value: sized(BigInt(lessThan.value) + (lessThan.case === "lte" ? 1n : 0n)) });
  }
  return bad;
}

type StringRules = Extract<FieldRules["type"], { case: "string" }>["value"];

function badTexts({ len, minLen, maxLen, pattern, notIn, wellKnown }: StringRules): BadValue[] {
  return [
    ...(len > 0n ? [{ rule: "string.len", value: "a".repeat(Number(len) + 1) }] : []),
    ...(minLen > 0n ? [{ rule: "string.min_len", value: "a".repeat(Number(minLen) - 1) }] : []),
    ...(maxLen > 0n ? [{ rule: "string.max_len", value: "a".repeat(Number(maxLen) + 1) }] : []),
    ...(pattern !== "" ? oddTexts.map((value) => ({ rule: "string.pattern", value })) : []),
    ...notIn.map((value) => ({ rule: "string.not_in", value })),
    ...(wellKnown.case === "uuid" ? ["", "not-a-uuid", "../1"].map((value) => ({ rule: "string.uuid", value })) : []),
    ...(wellKnown.case === "email" ? ["", "nobody"].map((value) => ({ rule: "string.email", value })) : []),
  ];
}

/** Lists that break a rule of the list, or of the item at `index`. */
export function badItems(
  field: DescField & { fieldKind: "list" },
  rules: FieldRules | undefined,
): (BadValue & { readonly index?: number })[] {
  if (rules?.type.case !== "repeated") return [];
  const { minItems, maxItems, unique, items } = rules.type.value;
  const one = sampleItem(field, 0);
  const many = Array.from({ length: Number(maxItems) + 1 }, (_, index) => sampleItem(field, index));
  return [
    ...(minItems > 0n ? [{ rule: "repeated.min_items", value: [] }] : []),
    ...(maxItems > 0n ? [{ rule: "repeated.max_items", value: many }] : []),
    ...(unique ? [{ rule: "repeated.unique", value: [one, one] }] : []),
    ...badValues(field, items).map(({ rule, value }) => ({ rule, value: [value], index: 0 })),
  ];
}
