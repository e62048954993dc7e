// The public keys of Docket's tokens as a JSON Web Key Set (RFC 7517), for services and proxies outside the mesh.

import type { Client } from "@connectrpc/connect";
import type { TokenService } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";

export interface KeySet {
  readonly json: string;
  /** How long it may be kept, in seconds. */
  readonly maxAge: number;
}

/** Asks again at most once in a quarter of the time that the list may be kept, so that new keys show early. */
export class KeySetCache {
  readonly #tokens: Client<typeof TokenService>;
  #kept: { readonly until: number; readonly keySet: KeySet } | undefined;

  constructor(tokens: Client<typeof TokenService>) {
    this.#tokens = tokens;
  }

  async get(requestId: string): Promise<KeySet> {
    if (this.#kept !== undefined && Date.now() < this.#kept.until) return this.#kept.keySet;
    const { keys, maxAgeSeconds } = await this.#tokens.listPublicKeys({}, { headers: { "x-request-id": requestId } });
    const jwks = keys.map(({ id, x }) => ({ kty: "OKP", crv: "Ed25519", use: "sig", alg: "EdDSA", kid: id, x }));
    // What is kept here and then by a client together stays within the list's age.
    const maxAge = Math.floor(maxAgeSeconds / 2);
    this.#kept = {
      until: Date.now() + (maxAgeSeconds / 4) * 1000,
      keySet: { json: JSON.stringify({ keys: jwks }), maxAge },
    };
    return this.#kept.keySet;
  }
}
