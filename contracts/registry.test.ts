import { create } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { describe, expect, it } from "@jest/globals";
import { Workload } from "./gen/docket/policy/v1/policy_pb.ts";
import { edgeRpcs, findRpc, type RpcName, rpcs, services } from "./registry.ts";

describe("the registry", () => {
  it("holds every RPC of every service once", () => {
    const names = services.flatMap((service) => service.methods.map((method) => `${service.typeName}/${method.name}`));
    expect(rpcs.map(({ name }) => name)).toEqual(names);
    expect(new Set(names).size).toBe(names.length);
  });

  it("has the services that are fixed", () => {
    const fixed = [
      ...["Session", "User", "Workspace", "Role", "Group", "ApiKey", "Token"].map(
        (noun) => `docket.user.v1.${noun}Service`,
      ),
      ...["Document", "Version", "Task", "Comment", "Grant", "Change", "Operation"].map(
        (noun) => `docket.document.v1.${noun}Service`,
      ),
      ...["Upload", "Transfer", "Blob"].map((noun) => `docket.storage.v1.${noun}Service`),
    ];
    expect(services.map(({ typeName }) => typeName)).toEqual(expect.arrayContaining(fixed));
  });

  it("finds an RPC by its name and by its gRPC path", () => {
    const name: RpcName = "docket.document.v1.DocumentService/GetDocument";
    expect(findRpc(name)?.method.name).toBe("GetDocument");
    expect(findRpc(`/${name}`)).toBe(findRpc(name));
    expect(findRpc("/docket.document.v1.DocumentService/Nothing")).toBeUndefined();
  });

  it("publishes at the edge only what the gateway may call", () => {
    const published = edgeRpcs();
    expect(published.length).toBeGreaterThan(0);
    for (const { policy } of published) expect(policy.callers).toContain(Workload.GATEWAY);
  });

  it("keeps the RPCs of the mesh away from the edge", () => {
    const hidden = rpcs.filter(({ service }) => /\.(Token|Blob|Membership)Service$/.test(service.typeName));
    expect(hidden.length).toBeGreaterThan(0);
    for (const { name, policy } of hidden) expect([name, policy.edge]).toEqual([name, false]);
  });
});

describe("the validation rules", () => {
  const validator = createValidator();
  it.each(rpcs.map(({ name, method }) => [name, method] as const))("of %s compile", (_, method) => {
    const result = validator.validate(method.input, create(method.input));
    expect(result.kind === "error" ? result.error.message : undefined).toBeUndefined();
  });
});
