/** What an error of a database driver means, whatever the dialect. Branches on codes: classes differ between realms. */

const SQLITE_UNIQUE = new Set([2067 /* UNIQUE */, 1555 /* PRIMARYKEY */, 2579 /* ROWID */]);
const SQLITE_FOREIGN_KEY = 787;
const MYSQL_DUPLICATE_ENTRY = 1062;
const MYSQL_FOREIGN_KEY = new Set([1451, 1452]);
const MYSQL_LOCKS = new Set([
  1020 /* the record has changed since it was read (MariaDB's snapshots) */, 1205 /* lock wait timeout */,
  1213 /* deadlock */,
]);
/** The server ends, begins, is full, or is a replica that may not be written to (as after a failover). */
const MYSQL_AWAY = new Set([1040, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1203, 1290, 1792, 1836, 1927, 3032, 4031]);
const MYSQL_DENIED = new Set([1044, 1142, 1143, 1227, 1370]);
const CONNECTION_AWAY = new Set([
  "PROTOCOL_CONNECTION_LOST",
  "PROTOCOL_SEQUENCE_TIMEOUT",
  "PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR",
  "PROTOCOL_ENQUEUE_AFTER_QUIT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** Whether a unique constraint or a primary key refused the row. */
export function isUniqueViolation(error: unknown): boolean {
  const { errcode, errno } = codesOf(error);
  return (errcode !== undefined && SQLITE_UNIQUE.has(errcode)) || errno === MYSQL_DUPLICATE_ENTRY;
}

/** Whether a foreign key refused the row or its removal. */
export function isForeignKeyViolation(error: unknown): boolean {
  const { errcode, errno } = codesOf(error);
  return errcode === SQLITE_FOREIGN_KEY || (errno !== undefined && MYSQL_FOREIGN_KEY.has(errno));
}

/** Whether the statement met another transaction and may be tried again (busy, locked, deadlock). */
export function isBusy(error: unknown): boolean {
  const { errcode, errno } = codesOf(error);
  // The low byte is the primary code: 5 BUSY, 6 LOCKED.
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  return primary === 5 || primary === 6 || (errno !== undefined && MYSQL_LOCKS.has(errno));
}

/** Whether the account lacks the right to do it. */
export function isDenied(error: unknown): boolean {
  const { errno } = codesOf(error);
  if (errno !== undefined && MYSQL_DENIED.has(errno)) return true;
  // MikroORM wraps what it was told.
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause !== undefined && isDenied(cause);
}

/** Whether the server is away, or was lost while it answered: what was sent may have been done or not. */
export function isAway(error: unknown): boolean {
  const { errno, code } = codesOf(error);
  return (code !== undefined && CONNECTION_AWAY.has(code)) || (errno !== undefined && MYSQL_AWAY.has(errno));
}

function codesOf(error: unknown): { errcode?: number; errno?: number; code?: string } {
  if (typeof error !== "object" || error === null) return {};
  const { errcode, errno, code } = error as { errcode?: unknown; errno?: unknown; code?: unknown };
  return {
    ...(typeof errcode === "number" && { errcode }),
    ...(typeof errno === "number" && { errno }),
    ...(typeof code === "string" && { code }),
  };
}
