/**
 * What entities are written with. Entities are MikroORM's `defineEntity` (schema, migrations, row types); the columns
 * below are those that mean the same on every dialect. Property names are camelCase, columns and row types snake_case.
 */
import { p } from "@mikro-orm/core";

export { defineEntity, p } from "@mikro-orm/core";
export type { InferKyselyDB } from "@mikro-orm/sql";

/** An id: a UUID as 36 characters. */
export const idColumn = () => p.string().length(36);

/** A time as milliseconds since 1970, UTC. Rows hold a number; a Date given as a parameter is turned into one. */
export const timeColumn = () => p.bigint("number");

/** A whole number up to 2^53. */
export const countColumn = () => p.bigint("number");

/** Yes or no, as 1 or 0. Rows hold the number; a boolean given as a parameter is turned into one. */
export const flagColumn = () => p.smallint().$type<number>();

/** Bytes of any length; rows hold a Uint8Array. */
export const bytesColumn = () => p.blob().$type<Uint8Array>();

/** JSON as text, encoded and decoded by the store. */
export const jsonColumn = () => p.text();
