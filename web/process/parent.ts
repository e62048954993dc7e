// Under `npm start` the portal is a child process. It never outlives its parent, however that ended.

/** What the child says once it serves. */
export interface PortalServes {
  /** `127.0.0.1:41234` */
  readonly address: string;
}

/** Ends this process, in order, when the parent's channel closes; does nothing without one. */
export function endWithParent(): void {
  if (process.connected) process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
}

/** Tells the parent, where there is one. */
export function tellParent(message: PortalServes): void {
  if (process.connected) process.send?.(message);
}
