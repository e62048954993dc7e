// Descriptors of what the edge publishes, and of nothing else: a service that has RPCs for the mesh alone is told
// without them.

import { clone, create, createFileRegistry, type DescFile, type DescService } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { Rpc } from "@docket/contracts/registry";

/** The services of these RPCs, in descriptors that hold only these RPCs. */
export function publishedServices(rpcs: readonly Rpc[]): DescService[] {
  const published = new Set(rpcs.map(({ name }) => name as string));
  const files = new Map<string, FileDescriptorProto>();
  for (const { service } of rpcs) collect(service.file, files, published);
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [...files.values()] }));
  const names = [...new Set(rpcs.map(({ service }) => service.typeName))];
  return names.map((name) => registry.getService(name)).filter((service) => service !== undefined);
}

function collect(file: DescFile, files: Map<string, FileDescriptorProto>, published: ReadonlySet<string>): void {
  const { proto } = file;
  if (files.has(proto.name)) return;
  for (const dependency of file.dependencies) collect(dependency, files, published);
  const copy = clone(FileDescriptorProtoSchema, proto);
  for (const service of copy.service) {
    service.method = service.method.filter(({ name }) => published.has(`${proto.package}.${service.name}/${name}`));
  }
  copy.service = copy.service.filter(({ method }) => method.length > 0);
  // Comments are dropped: their paths count the methods that are gone.
  copy.sourceCodeInfo = undefined;
  files.set(proto.name, copy);
}
