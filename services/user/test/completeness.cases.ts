import { Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { allServices } from "@docket/contracts/gen/services.ts";
import { chainReasons, enumName, reasonsOf, rpcNameOf } from "@docket/contracts/policy";
import type { CallRecord } from "@docket/runtime/interceptors/options";
import { describe, expect, it } from "@jest/globals";

const methods = allServices
  .filter(({ typeName }) => typeName.startsWith("docket.user."))
  .flatMap(({ methods: all }) => all);

/** Only where two database servers' transactions meet; one SQLite file has one writer. */
const untestable = new Set<Reason>([Reason.CONFLICT]);

/** The last of all: it looks at what the others have seen. */
export function completenessCases(records: () => readonly CallRecord[]): void {
  describe("the contract of the user service", () => {
    it("is kept by every RPC at least once", () => {
      const succeeded = new Set(records().flatMap(({ rpc, code }) => (code === undefined ? [rpc] : [])));
      expect(methods.map(rpcNameOf).filter((rpc) => !succeeded.has(rpc) && !rpc.endsWith("/WatchUserChanges"))).toEqual(
        [],
      );
    });

    it("promises no reason that was not seen", () => {
      const seen = new Set(records().map(({ rpc, reason }) => `${rpc} ${enumName(ReasonSchema, reason ?? 0)}`));
      const promised = methods.flatMap((method) =>
        reasonsOf(method)
          .filter((reason) => !untestable.has(reason))
          .map((reason) => `${rpcNameOf(method)} ${enumName(ReasonSchema, reason)}`),
      );
      expect(promised.filter((promise) => !seen.has(promise))).toEqual([]);
    });

    it("promises every reason that was seen, and no fault was unexpected", () => {
      const chain = new Set(chainReasons());
      const broken = records().filter(({ rpc, reason }) => {
        if (reason === undefined) return false;
        if (reason === Reason.INTERNAL) return true;
        const method = methods.find((candidate) => rpcNameOf(candidate) === rpc);
        return method !== undefined && !chain.has(reason) && !reasonsOf(method).includes(reason);
      });
      expect(broken.map(({ rpc, reason }) => `${rpc} ${enumName(ReasonSchema, reason ?? 0)}`)).toEqual([]);
    });
  });
}
