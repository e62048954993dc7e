// Whom the edge lets in, asked before any body is read and for every route alike. The cheap questions come first.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { RateClass } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { Subject } from "@docket/runtime/call";
import { AppError, reasonOf } from "@docket/runtime/errors";
import { type Exchange, isGone } from "../http/exchange.ts";
import type { Load } from "../limits/load.ts";
import type { RateLimits } from "../limits/rates.ts";
import type { SessionCookie } from "../session/cookie.ts";
import { type Credential, credentialOf } from "../session/credentials.ts";
import type { Sessions } from "../session/sessions.ts";
import { limitKey } from "./client_address.ts";
import { isCrossSite } from "./cross_site.ts";

/** What a route asks of its callers. */
export interface Demand {
  readonly costClass: RateClass;
  /** Whether nobody need be signed in. */
  readonly anonymous: boolean;
  /** Streams and transfers last, and are counted apart. */
  readonly kind: "unary" | "stream";
  /** Whether it does not matter who asks: a session that is shown is not looked at. Default: false. */
  readonly nameless?: boolean;
}

/** A person or application that was let in. */
export interface SignedIn {
  readonly subject: Subject;
  readonly credential: Credential;
}

/** Who was let in; perhaps nobody in particular. */
export type Admission = SignedIn | { readonly subject?: undefined; readonly credential?: undefined };

export interface GateOptions {
  readonly cookie: SessionCookie;
  readonly sessions: Sessions;
  readonly rates: RateLimits;
  readonly load: Load;
  /** The origin that browsers see, where the operator has named it. */
  readonly publicOrigin: string | undefined;
}

export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Lets a request in, or throws why not. */
  async admit(exchange: Exchange, demand: Demand): Promise<Admission> {
    const { rates, load, publicOrigin } = this.#options;
    atEnd(exchange, load.enter(demand.kind));
    const credential = this.#credentialOf(exchange, demand);
    const { request, host, method } = exchange;
    if (isCrossSite({ method, headers: request.headers, host, cookie: credential?.cookie ?? false }, publicOrigin)) {
      throw new AppError(Reason.CROSS_SITE, { message: "This request does not come from Docket's own pages." });
    }
    const address = limitKey(exchange.clientAddress);
    // Guesses are counted by where they come from, whoever is signed in.
    const perAddress = demand.costClass === RateClass.CREDENTIAL || credential === undefined;
    if (perAddress) await rates.spend(demand.costClass, address);
    if (credential === undefined) {
      if (!demand.anonymous) throw new AppError(Reason.SESSION_REQUIRED);
      if (demand.kind === "stream") atEnd(exchange, load.hold(address));
      return {};
    }
    const subject = await this.#resolve(exchange, credential, demand, address);
    // However many keys or sessions somebody has, it is one client.
    if (demand.kind === "stream") atEnd(exchange, load.hold(subject?.id ?? address));
    if (subject === undefined) {
      // A session that is none counts like no session, or a made-up cookie would be a way around the limit.
      if (!perAddress) await rates.spend(demand.costClass, address);
      return {};
    }
    exchange.outcome.subject = subject.id;
    if (!perAddress) await rates.spend(demand.costClass, subject.keyId ?? subject.id);
    return { subject, credential };
  }

  /** Like {@link admit}, where somebody must be signed in. */
  async admitSignedIn(exchange: Exchange, demand: Omit<Demand, "anonymous">): Promise<SignedIn> {
    const admission = await this.admit(exchange, { ...demand, anonymous: false });
    if (admission.subject === undefined) throw new AppError(Reason.SESSION_REQUIRED);
    return admission;
  }

  /** The subject with a token of now, for work that outlives the token it began with. */
  async renew({ requestId }: Exchange, { credential }: SignedIn): Promise<Subject> {
    return await this.#options.sessions.resolve(credential, requestId);
  }

  /** A garbled credential must not keep anybody from signing in. */
  #credentialOf({ request }: Exchange, { anonymous, nameless = false }: Demand): Credential | undefined {
    if (nameless) return undefined;
    try {
      return credentialOf(request.headers, this.#options.cookie);
    } catch (error) {
      if (anonymous) return undefined;
      throw error;
    }
  }

  async #resolve(
    exchange: Exchange,
    credential: Credential,
    demand: Demand,
    address: string,
  ): Promise<Subject | undefined> {
    try {
      return await this.#options.sessions.resolve(credential, exchange.requestId);
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== Reason.SESSION_INVALID && reason !== Reason.KEY_INVALID) throw error;
      if (credential.cookie) exchange.response.appendHeader("set-cookie", this.#options.cookie.clear());
      if (demand.anonymous) return undefined;
      // Secrets are too long to be guessed; this keeps those who try from costing much.
      await this.#options.rates.spend(RateClass.READ, `refused ${address}`);
      throw error;
    }
  }
}

/** Lets a request out when its answer has ended, or now, where the client has gone meanwhile. */
function atEnd({ response }: Exchange, leave: () => void): void {
  if (isGone(response)) leave();
  else response.once("close", leave);
}
