import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { describe, expect, it } from "@jest/globals";
import type { Batch } from "./fan_out.ts";
import { FollowingLag } from "./lag.ts";

const batch = (at: number): Batch => ({
  workspaceId: "w",
  changes: [create(ChangeSchema, { time: timestampFromMs(at) })],
  place: 1,
  lostFrom: undefined,
});

describe("how far webhooks are behind", () => {
  it("is the age of the oldest change that is not made into deliveries, also while that fails", async () => {
    const lag = new FollowingLag(undefined);
    expect(lag.ageMs(5000)).toBe(0);
    await expect(lag.during(batch(1000), () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    expect(lag.ageMs(5000)).toBe(4000);
    await lag.during(batch(3000), async () => expect(lag.ageMs(6000)).toBe(5000));
    expect(lag.ageMs(6000)).toBe(0);
  });
});
