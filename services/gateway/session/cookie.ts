// The session cookie. Scripts never see it, foreign sites' posts never carry it, and on https no other host of the
// domain can set one (`__Host-`).

import { Secret } from "@docket/runtime/config";

/** Session secrets are base64url; anything else in the cookie is not ours. */
const value = /^[A-Za-z0-9_.-]{16,512}$/;

export class SessionCookie {
  readonly name: string;
  readonly #secure: boolean;

  constructor(https: boolean) {
    this.#secure = https;
    this.name = https ? "__Host-docket" : "docket";
  }

  /** The session secret of a `Cookie` header, or undefined. When the name stands there twice, neither is believed. */
  read(header: string | undefined): Secret | undefined {
    if (header === undefined) return undefined;
    const found = header
      .split(";")
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${this.name}=`))
      .map((pair) => pair.slice(this.name.length + 1));
    const [only] = found;
    return found.length === 1 && only !== undefined && value.test(only) ? new Secret(only) : undefined;
  }

  /** The `Set-Cookie` that starts a session. `maxAgeMs` is how long the session lasts at most. */
  set(secret: string, maxAgeMs: number): string {
    return `${this.name}=${secret}; ${this.#attributes(Math.max(0, Math.floor(maxAgeMs / 1000)))}`;
  }

  /** The `Set-Cookie` that ends it. */
  clear(): string {
    return `${this.name}=; ${this.#attributes(0)}`;
  }

  #attributes(maxAge: number): string {
    return `Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${this.#secure ? "; Secure" : ""}`;
  }
}
