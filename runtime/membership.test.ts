import { describe, expect, it } from "@jest/globals";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import {
  type GetMembershipResponse,
  GetMembershipResponseSchema,
} from "@docket/contracts/gen/docket/user/v1/membership_service_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { reasonOf } from "./errors.ts";
import { createMembershipCache, type Member } from "./membership.ts";

const ada: Member = { kind: "person", id: "ada" };
const robot: Member = { kind: "application", id: "robot", workspaceId: "w1" };

/** A cache before a user service that answers when told to, and counts. */
function setUp() {
  const state = { now: 0, asked: [] as string[], epoch: 1 };
  const waiting: { resolve: (response: GetMembershipResponse) => void; reject: (error: unknown) => void }[] = [];
  const cache = createMembershipCache({
    clock: () => new Date(state.now),
    client: {
      getMembership({ subject, workspaceId }) {
        state.asked.push(
          `${subject?.kind === PrincipalKind.PERSON ? "person" : "application"} ${subject?.id} ${workspaceId}`,
        );
        return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
      },
    },
  });
  const call = { requestId: "r1", signal: new AbortController().signal };
  return {
    state,
    cache,
    of: (who: Member, workspaceId: string, signal = call.signal) => cache.of(who, workspaceId, { ...call, signal }),
    answer() {
      const epoch = String(state.epoch++);
      const response = create(GetMembershipResponseSchema, {
        member: true,
        permissions: [Permission.DOCUMENT_VIEW],
        groupIds: ["g1"],
        epoch,
        roleId: "member",
      });
      for (const { resolve } of waiting.splice(0)) resolve(response);
    },
    fail() {
      for (const { reject } of waiting.splice(0)) reject(new ConnectError("away", Code.Unavailable));
    },
  };
}

describe("createMembershipCache", () => {
  it("asks once for many calls about the same, and answers with sets", async () => {
    const { state, of, answer } = setUp();
    const calls = [of(ada, "w1"), of(ada, "w1"), of(ada, "w1")];
    answer();
    for (const membership of await Promise.all(calls)) {
      expect(membership).toEqual({
        member: true,
        permissions: new Set([Permission.DOCUMENT_VIEW]),
        groupIds: ["g1"],
        epoch: "1",
        roleId: "member",
      });
    }
    expect(state.asked).toHaveLength(1);
  });

  it("asks again for another subject, another workspace, and after a second", async () => {
    const { state, of, answer } = setUp();
    const calls = [of(ada, "w1"), of(ada, "w2"), of(robot, "w1"), of({ ...ada, kind: "application" }, "w1")];
    expect(new Set(state.asked).size).toBe(4);
    answer();
    await Promise.all(calls);
    state.now = 999;
    expect((await of(ada, "w1")).epoch).toBe("1");
    state.now = 1000;
    const later = of(ada, "w1");
    answer();
    expect((await later).epoch).toBe("2");
  });

  it("counts the second from the question, so that a slow answer is not kept longer", async () => {
    const { state, of, answer } = setUp();
    const slow = of(ada, "w1");
    state.now = 1500;
    answer();
    await slow;
    void of(ada, "w1");
    expect(state.asked).toHaveLength(2);
    answer();
  });

  it("drops what changed, and answers that were on their way meanwhile", async () => {
    const { state, cache, of, answer } = setUp();
    for (const forget of [() => cache.forget("w1"), () => cache.forget("ada"), () => cache.forgetAll()]) {
      const before = of(ada, "w1");
      forget();
      const after = of(ada, "w1");
      expect(state.asked.splice(0)).toHaveLength(2);
      answer();
      await Promise.all([before, after]);
      await of(ada, "w1");
      expect(state.asked).toHaveLength(0);
      cache.forgetAll();
    }
    const call = of(ada, "w1");
    answer();
    await call;
    cache.forget("w2");
    await of(ada, "w1");
    expect(state.asked).toHaveLength(1);
  });

  it("lets nobody in when the user service is away, and does not keep that", async () => {
    const { of, answer, fail } = setUp();
    const calls = [of(ada, "w1"), of(ada, "w1")];
    fail();
    for (const call of calls) expect(await call.catch(reasonOf)).toBe(Reason.UNAVAILABLE);
    const again = of(ada, "w1");
    answer();
    expect((await again).member).toBe(true);
  });

  it("ends a call that is aborted, and leaves the question to the others", async () => {
    const { of, answer } = setUp();
    const aborted = new AbortController();
    const first = of(ada, "w1", aborted.signal);
    const second = of(ada, "w1");
    const reason = new Error("gone");
    aborted.abort(reason);
    await expect(first).rejects.toBe(reason);
    await expect(of(ada, "w1", aborted.signal)).rejects.toBe(reason);
    answer();
    expect((await second).member).toBe(true);
  });

  it("knows without asking that a key is nothing in a workspace that is not its own", async () => {
    const { state, of } = setUp();
    expect((await of(robot, "w2")).member).toBe(false);
    expect(state.asked).toHaveLength(0);
  });

  it("stays bounded", async () => {
    const { state, of, answer } = setUp();
    for (let n = 0; n <= 10_000; n += 1) void of(ada, `w${n}`);
    answer();
    await of(ada, "w10000");
    expect(state.asked).toHaveLength(10_001);
    void of(ada, "w0");
    expect(state.asked).toHaveLength(10_002);
    answer();
  });
});
