// The gRPC reflection protocol over the descriptors of the contract, so that grpcurl works without a proto file. Only
// the listed services are told, with the files that they need.

import { create, type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import {
  type ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from "@docket/contracts/gen/grpc/reflection/v1/reflection_pb.ts";

/** Answers reflection for these services. v1 and v1alpha have the same messages, so one implementation serves both. */
export function createReflection(services: readonly DescService[]): ServiceImpl<typeof ServerReflection> {
  const files = new Map<string, DescFile>();
  for (const service of services) collect(service.file, files);
  const symbols = new Map<string, DescFile>();
  for (const file of files.values()) index(file, symbols);
  const names = services.map((service) => service.typeName).sort();

  const answer = (request: ServerReflectionRequest) => {
    const respond = (messageResponse: Parameters<typeof create<typeof ServerReflectionResponseSchema>>[1]) =>
      create(ServerReflectionResponseSchema, { validHost: request.host, originalRequest: request, ...messageResponse });
    const fileOf = (file: DescFile | undefined) =>
      file === undefined
        ? respond({
            messageResponse: { case: "errorResponse", value: { errorCode: Code.NotFound, errorMessage: "not found" } },
          })
        : respond({
            messageResponse: {
              case: "fileDescriptorResponse",
              value: { fileDescriptorProto: encodeWithImports(file) },
            },
          });
    const { messageRequest } = request;
    switch (messageRequest.case) {
      case "listServices":
        return respond({
          messageResponse: { case: "listServicesResponse", value: { service: names.map((name) => ({ name })) } },
        });
      case "fileByFilename":
        return fileOf(files.get(messageRequest.value));
      case "fileContainingSymbol":
        return fileOf(symbols.get(messageRequest.value));
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = messageRequest.value;
        return fileOf(symbols.get(`${containingType}#${extensionNumber}`));
      }
      case "allExtensionNumbersOfType": {
        const prefix = `${messageRequest.value}#`;
        const extensionNumber = [...symbols.keys()]
          .filter((key) => key.startsWith(prefix))
          .map((key) => Number(key.slice(prefix.length)));
        return respond({
          messageResponse: {
            case: "allExtensionNumbersResponse",
            value: { baseTypeName: messageRequest.value, extensionNumber },
          },
        });
      }
      default:
        return respond({
          messageResponse: {
            case: "errorResponse",
            value: { errorCode: Code.InvalidArgument, errorMessage: "no request" },
          },
        });
    }
  };
  return {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) yield answer(request);
    },
  };
}

function collect(file: DescFile, files: Map<string, DescFile>): void {
  const name = `${file.name}.proto`;
  if (files.has(name)) return;
  files.set(name, file);
  for (const dependency of file.dependencies) collect(dependency, files);
}

function index(file: DescFile, symbols: Map<string, DescFile>): void {
  const messages = [...file.messages];
  for (let message = messages.pop(); message !== undefined; message = messages.pop()) {
    symbols.set(message.typeName, file);
    messages.push(...message.nestedMessages);
    for (const nested of message.nestedEnums) symbols.set(nested.typeName, file);
  }
  for (const top of file.enums) symbols.set(top.typeName, file);
  for (const extension of file.extensions) {
    symbols.set(extension.typeName, file);
    symbols.set(`${extension.extendee.typeName}#${extension.number}`, file);
  }
  for (const service of file.services) {
    symbols.set(service.typeName, file);
    for (const method of service.methods) symbols.set(`${service.typeName}.${method.name}`, file);
  }
}

function encodeWithImports(file: DescFile): Uint8Array[] {
  const files = new Map<string, DescFile>();
  collect(file, files);
  return [...files.values()].map((each) => toBinary(FileDescriptorProtoSchema, each.proto));
}
