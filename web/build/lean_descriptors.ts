// Generated descriptors carry every option of the contract: policies, validation rules, reasons. A browser needs the
// shapes only, so the build takes the options off and leaves out the files that define them.

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import {
  type DescriptorProto,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

/** The files that only options need. */
const optionFiles = ["file_buf_validate_validate", "file_docket_policy_v1_policy"];
/** The package of those whose enums stand in messages too. */
const optionPackage = ".docket.policy.v1.";

/** A Vite plugin. What it does not recognise stays as it is. */
export function leanDescriptors() {
  return {
    name: "docket:lean-descriptors",
    enforce: "pre" as const,
    transform(code: string, id: string): { code: string; map: null } | undefined {
      if (!/\/gen\/docket\/.*_pb\.ts(\?|$)/.test(id)) return undefined;
      return { code: leanModule(code), map: null };
    },
  };
}

/** The module with its descriptor made lean. */
export function leanModule(code: string): string {
  let lean = code.replace(/fileDesc\("([^"]+)"/, (_, encoded: string) => `fileDesc("${leanFile(encoded)}"`);
  for (const name of optionFiles) {
    lean = lean
      .replace(new RegExp(`^import \\{ ${name} \\} from .*\\n`, "m"), "")
      .replace(new RegExp(`(fileDesc\\("[^"]*", \\[[^\\]]*?)${name}(?:, )?`), "$1");
  }
  return lean;
}

function leanFile(encoded: string): string {
  const file = fromBinary(FileDescriptorProtoSchema, base64Decode(encoded));
  file.options = undefined;
  for (const message of file.messageType) leanMessage(message);
  leanEnums(file);
  for (const extension of file.extension) extension.options = undefined;
  for (const service of file.service) {
    service.options = undefined;
    for (const method of service.method) method.options = undefined;
  }
  return base64Encode(toBinary(FileDescriptorProtoSchema, file), "std_raw");
}

function leanMessage(message: DescriptorProto): void {
  // Only `map_entry` tells something about the shape.
  if (!message.options?.mapEntry) message.options = undefined;
  for (const field of message.field) {
    field.options = undefined;
    // On the wire, and in TypeScript, an enum's value is its number: the names can stay away.
    if (field.type === FieldDescriptorProto_Type.ENUM && field.typeName.startsWith(optionPackage)) {
      field.type = FieldDescriptorProto_Type.INT32;
      field.typeName = "";
    }
  }
  for (const oneof of message.oneofDecl) oneof.options = undefined;
  for (const nested of message.nestedType) leanMessage(nested);
  leanEnums(message);
}

function leanEnums({ enumType }: Pick<FileDescriptorProto | DescriptorProto, "enumType">): void {
  for (const declared of enumType) {
    declared.options = undefined;
    for (const value of declared.value) value.options = undefined;
  }
}
