// Valid values, made from the rules of the contract, for parts of a request that its builder leaves out.

import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import {
  type FieldRules,
  field as fieldRules,
  oneof as oneofRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { newId } from "@docket/runtime/ids";

/** The rules of a field; undefined when it has none. */
export function rulesOf(field: DescField): FieldRules | undefined {
  return hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
}

/** A message that keeps every rule, with as little in it as that needs. */
export function sampleOf(desc: DescMessage): Message {
  const message = create(desc) as Message & Record<string, unknown>;
  for (const oneof of desc.oneofs) {
    const [first] = oneof.fields;
    if (first === undefined || !hasOption(oneof, oneofRules) || !getOption(oneof, oneofRules).required) continue;
    message[oneof.localName] = { case: first.localName, value: sampleValue(first) };
  }
  for (const field of desc.fields) {
    if (field.oneof === undefined && needsValue(field)) message[field.localName] = sampleValue(field);
  }
  return message;
}

function needsValue(field: DescField): boolean {
  const rules = rulesOf(field);
  if (rules === undefined) return false;
  if (field.proto.proto3Optional) return false;
  return rules.required || field.fieldKind === "scalar" || field.fieldKind === "enum";
}

/** A valid value of a field: one item for lists. */
export function sampleValue(field: DescField): unknown {
  const rules = rulesOf(field);
  switch (field.fieldKind) {
    case "scalar":
      return sampleScalar(field.scalar, rules);
    case "enum":
      return sampleEnum(field.enum);
    case "message":
      return sampleOf(field.message);
    case "list":
      return [sampleItem(field, 0)];
    default:
      throw new Error(`there is no sample of ${field.toString()}`);
  }
}

/** A valid item of a list, another one for each index where the type has enough. */
export function sampleItem(field: DescField & { fieldKind: "list" }, index: number): unknown {
  const rules = rulesOf(field);
  const items = rules?.type.case === "repeated" ? rules.type.value.items : undefined;
  if (field.listKind === "message") return sampleOf(field.message);
  if (field.listKind === "enum") return sampleEnum(field.enum, index);
  return isUuid(items)
    ? newId()
    : field.scalar === ScalarType.STRING
      ? `item ${index}`
      : sampleScalar(field.scalar, items);
}

function sampleEnum(desc: DescEnum, index = 0): number {
  const values = desc.values.filter(({ number }) => number !== 0);
  return values[index % values.length]?.number ?? 0;
}

function sampleScalar(scalar: ScalarType, rules: FieldRules | undefined): unknown {
  if (scalar === ScalarType.STRING) return isUuid(rules) ? newId() : "sample";
  if (scalar === ScalarType.BYTES) return new Uint8Array(0);
  if (scalar === ScalarType.BOOL) return true;
  if (scalar === ScalarType.INT64 || scalar === ScalarType.UINT64) return 1n;
  return 1;
}

function isUuid(rules: FieldRules | undefined): boolean {
  return rules?.type.case === "string" && rules.type.value.wellKnown.case === "uuid";
}
