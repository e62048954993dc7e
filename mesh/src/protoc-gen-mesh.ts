#!/usr/bin/env node
/**
 * The buf plugin that writes mesh/gen from the policies of proto/: who may call what, how long and how often, and what each
 * workload reaches. `npm run gen` runs it beside the new descriptors; `buf generate --template buf.gen.mesh.yaml` runs it too.
 * It knows contracts and mesh/src/workloads.ts, never a cluster, an account or a domain.
 */
import { create, createFileRegistry, type DescFile } from "@bufbuild/protobuf";
import {
  type CodeGeneratorRequest,
  type CodeGeneratorResponse,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponseSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { type Plugin, runNodeJs } from "@bufbuild/protoplugin";
import { meshFiles } from "./manifests.ts";
import { parseOptions } from "./options.ts";

const plugin: Plugin = { name: "protoc-gen-mesh", version: "v1", run };

function run(request: CodeGeneratorRequest): CodeGeneratorResponse {
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
  const files = request.fileToGenerate
    .map((name) => registry.getFile(name))
    .filter((file): file is DescFile => file !== undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const made = meshFiles(files, parseOptions(request.parameter));
  return create(CodeGeneratorResponseSchema, {
    supportedFeatures: BigInt(CodeGeneratorResponse_Feature.PROTO3_OPTIONAL),
    file: [...made].map(([name, content]) => ({ name, content })),
  });
}

runNodeJs(plugin);
