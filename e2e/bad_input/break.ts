// Requests that break one rule each, derived from the descriptors: for each field of a valid request, however deep, and for
// each of its rules, a request that is valid but for that.

import {
  clone,
  create,
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type Message,
} from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { FieldMaskSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { createValidator } from "@bufbuild/protovalidate";
import { message as messageRules, oneof as oneofRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { badItems, badValues, refuseUnknownRules } from "./bad_values.ts";
import { celBreakers } from "./by_hand.ts";
import { rulesOf, sampleOf, sampleValue } from "./sample.ts";

/** A request that breaks one rule. */
export interface Breakage {
  /** The path of the field, in the contract's names. */
  readonly field: string;
  /** The id of the rule, or how it begins: `string.uuid` is also told as `string.uuid_empty`. */
  readonly rule: string;
  readonly message: Message;
}

/** A rule for which no breaking request was found. */
export type Unbroken = Omit<Breakage, "message">;

export interface Breakages {
  readonly breakages: readonly Breakage[];
  readonly unbroken: readonly Unbroken[];
}

/** Puts a broken part into a copy of the whole request. */
type Put = (part: Message) => Message;
type Fields = Message & Record<string, unknown>;

const validator = createValidator();

/** Every way to break a request of this type, beginning from a valid one. */
export function breakagesOf(desc: DescMessage, valid: Message): Breakages {
  const result = validator.validate(desc, valid);
  if (result.kind !== "valid") throw new Error(`${desc.typeName}: the builder's request is not valid: ${result.error}`);
  const tried: Breakage[] = [...walk(desc, valid, "", (part) => part)];
  const breaks = ({ field, rule, message }: Breakage) => {
    const { violations = [] } = validator.validate(desc, message);
    return violations.some((each) => each.ruleId.startsWith(rule) && pathToString(each.field) === field);
  };
  const breakages = tried.filter(breaks);
  // Several values are tried for some rules; one that breaks it is enough.
  const broken = new Set(breakages.map(({ field, rule }) => `${field} ${rule}`));
  const unbroken = tried.filter(({ field, rule }) => !broken.has(`${field} ${rule}`));
  return { breakages, unbroken: unbroken.map(({ field, rule }) => ({ field, rule })) };
}

function* walk(desc: DescMessage, valid: Message, path: string, put: Put): Generator<Breakage> {
  for (const oneof of desc.oneofs) {
    if (!hasOption(oneof, oneofRules) || !getOption(oneof, oneofRules).required) continue;
    yield {
      field: at(path, oneof.name),
      rule: "required",
      message: put(changed(desc, valid, oneof.localName, { case: undefined })),
    };
  }
  for (const field of desc.fields) yield* walkField(desc, valid, field, path, put);
  if (!hasOption(desc, messageRules)) return;
  for (const { id } of getOption(desc, messageRules).cel) {
    const init = celBreakers[id];
    // One that nobody wrote a breaking request for is found among the unbroken.
    yield { field: path, rule: id, message: put(init === undefined ? valid : init(clone(desc, valid))) };
  }
}

function* walkField(desc: DescMessage, valid: Message, field: DescField, path: string, put: Put): Generator<Breakage> {
  const rules = rulesOf(field);
  refuseUnknownRules(field, rules);
  const here = at(path, field.name);
  const set = (value: unknown) => put(withField(desc, valid, field, value));
  if (rules?.required) yield { field: here, rule: "required", message: set(undefined) };
  for (const { id } of rules?.cel ?? []) {
    const value = celBreakers[id]?.(sampleOf(field.message as DescMessage));
    yield { field: here, rule: id, message: set(value ?? presentValue(valid, field)) };
  }
  if (field.fieldKind === "message") {
    const value = brokenWellKnown(field, rules);
    for (const { rule, value: bad } of value) yield { field: here, rule, message: set(bad) };
    if (field.message.typeName.startsWith("docket.")) {
      const inner = (presentValue(valid, field) ?? sampleOf(field.message)) as Message;
      yield* walk(field.message, inner, here, (part) => put(withField(desc, valid, field, part)));
    }
  } else if (field.fieldKind === "list") {
    const present = presentValue(valid, field) as unknown[] | undefined;
    for (const { rule, value, index } of badItems(field, rules)) {
      yield { field: index === undefined ? here : `${here}[${index}]`, rule, message: set(value) };
    }
    if (field.listKind === "message") {
      const inner = (present?.[0] ?? sampleOf(field.message)) as Message;
      yield* walk(field.message, inner, `${here}[0]`, (part) => set([part]));
    }
  } else if (field.fieldKind !== "map") {
    for (const { rule, value } of badValues(field, rules)) yield { field: here, rule, message: set(value) };
  }
}

function brokenWellKnown(field: DescField, rules: ReturnType<typeof rulesOf>): { rule: string; value: unknown }[] {
  switch (rules?.type.case) {
    case "timestamp":
      return [{ rule: "timestamp.gt_now", value: create(TimestampSchema, { seconds: 1n }) }];
    case "duration": {
      const both = rules.type.value.lessThan.case === "lte";
      const rule = both ? "duration.gte_lte" : "duration.gte";
      const seconds = both ? [-1n, 1_000_000n] : [-1n];
      return seconds.map((each) => ({ rule, value: create(field.message as DescMessage, { seconds: each } as never) }));
    }
    case "fieldMask":
      return [{ rule: "field_mask.in", value: create(FieldMaskSchema, { paths: ["nonsense"] }) }];
    default:
      return [];
  }
}

function at(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function presentValue(valid: Message, field: DescField): unknown {
  if (field.oneof === undefined) return (valid as Fields)[field.localName];
  const arm = (valid as Fields)[field.oneof.localName] as { case?: string; value?: unknown };
  return arm.case === field.localName ? arm.value : undefined;
}

function withField(desc: DescMessage, valid: Message, field: DescField, value: unknown): Message {
  if (field.oneof === undefined) return changed(desc, valid, field.localName, value);
  return changed(desc, valid, field.oneof.localName, { case: field.localName, value: value ?? sampleValue(field) });
}

function changed(desc: DescMessage, valid: Message, name: string, value: unknown): Message {
  const copy = clone(desc, valid) as Fields;
  copy[name] = value;
  return copy;
}
