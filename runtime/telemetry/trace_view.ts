// Requests as small trees in a terminal, each when it has ended: when every step began, how long it took, in which service.
// For a laptop, where all services are one process; it must never print more than spans hold.

import type { EndedSpan } from "./telemetry.ts";

/** What is shown, and where. */
export interface TraceViewOptions {
  readonly write: (text: string) => void;
  /** Only trees with a line that contains this, or that took at least this long (`100ms`, `2s`). Default: all but files and jobs of a schedule. */
  readonly filter?: string | undefined;
}

/** How long to wait for steps that end after their request, in milliseconds. */
const graceMs = 30;
/** Spans that wait for their request to end; of more, the oldest are forgotten. */
const mostWaiting = 20_000;
/** Lines of one tree. */
const mostLines = 60;

/** Takes spans as they end, and writes a tree for each request. */
export function createTraceView({ write, filter }: TraceViewOptions): (span: EndedSpan) => void {
  const waiting = new Map<string, EndedSpan>();
  const wanted = filterOf(filter);
  const show = (root: EndedSpan) => {
    const children = Map.groupBy(waiting.values(), ({ parentSpanId }) => parentSpanId ?? "");
    const tree = take(root, children, waiting);
    const lines = linesOf(tree, root.startMs);
    if (!wanted(tree, lines)) return;
    const shown = lines.slice(0, mostLines);
    if (lines.length > mostLines) shown.push(`${" ".repeat(20)}… and ${lines.length - mostLines} more lines`);
    write(`${shown.join("\n")}\n\n`);
  };
  return (span) => {
    waiting.set(span.spanId, span);
    if (waiting.size > mostWaiting) waiting.delete(waiting.keys().next().value ?? "");
    if (isRoot(span)) setTimeout(() => show(span), graceMs).unref();
  };
}

/** What somebody outside asked for, or nobody did. The portal's own calls belong to its page. */
function isRoot({ service, kind, parentSpanId, attributes }: EndedSpan): boolean {
  if (parentSpanId === undefined || kind === "consumer") return true;
  return service === "gateway" && kind === "server" && attributes["docket.inside"] !== true;
}

interface Node {
  readonly span: EndedSpan;
  readonly children: readonly Node[];
}

function take(
  span: EndedSpan,
  children: ReadonlyMap<string, readonly EndedSpan[]>,
  waiting: Map<string, EndedSpan>,
): Node {
  waiting.delete(span.spanId);
  const beneath = (children.get(span.spanId) ?? []).filter((child) => !isRoot(child));
  const ordered = beneath.toSorted((a, b) => a.startMs - b.startMs);
  return { span, children: ordered.map((child) => take(child, children, waiting)) };
}

function linesOf(node: Node, beganMs: number, indent = "", last = true, depth = 0): string[] {
  const { span, children, way } = withoutWay(node);
  const branch = depth === 0 ? "" : `${indent}${last ? "└ " : "├ "}`;
  const below = depth === 0 ? "" : `${indent}${last ? "  " : "│ "}`;
  const merged = mergeAlike(children);
  return [
    `${at(span.startMs - beganMs)} ${took(span.durationMs)}  ${branch}${wordsOf(span, way, depth)}`,
    ...merged.flatMap(({ nodes }, index) => {
      const isLast = index === merged.length - 1;
      const [first] = nodes;
      if (first === undefined) return [];
      if (nodes.length === 1) return linesOf(first, beganMs, below, isLast, depth + 1);
      const total = nodes.reduce((sum, { span: one }) => sum + one.durationMs, 0);
      const line = `${at(first.span.startMs - beganMs)} ${took(total)}  ${below}${isLast ? "└ " : "├ "}`;
      return [`${line}${wordsOf(first.span, undefined, depth + 1)} ×${nodes.length}`];
    }),
  ];
}

/** A call is told of by the service that answered it; what the way there took is said beside it. */
function withoutWay(node: Node): Node & { readonly way?: number } {
  const { span, children } = node;
  const [only] = children;
  if (span.kind !== "client" || only === undefined || children.length > 1 || only.span.kind !== "server") return node;
  return { ...only, way: span.durationMs - only.span.durationMs };
}

/** The same statement again and again becomes one line. */
function mergeAlike(nodes: readonly Node[]): { nodes: Node[] }[] {
  const merged: { nodes: Node[] }[] = [];
  for (const node of nodes) {
    const before = merged.at(-1)?.nodes;
    const alike =
      before?.[0] !== undefined &&
      node.children.length === 0 &&
      before[0].children.length === 0 &&
      before[0].span.name === node.span.name &&
      before[0].span.service === node.span.service;
    if (alike) before.push(node);
    else merged.push({ nodes: [node] });
  }
  return merged;
}

function wordsOf(span: EndedSpan, way: number | undefined, depth: number): string {
  const { attributes, failed, service, traceId, links } = span;
  const name = span.name.replace(/docket\.\w+\.v\d+\./, "");
  const status = attributes["docket.reason"] ?? attributes["http.response.status_code"] ?? attributes["error.type"];
  const notes = [
    ...(depth === 0 || failed || attributes["docket.reason"] !== undefined ? [status] : []),
    ...(way === undefined || way < 1 ? [] : [`+${way.toFixed(1)} ms on the way`]),
    ...(depth === 0 ? [traceId] : []),
    ...(links.length === 0 ? [] : [`linked to ${links.join(", ")}`]),
  ].filter((note) => note !== undefined && note !== "");
  return `${failed ? "! " : ""}${service}  ${name}${notes.length === 0 ? "" : `  (${notes.join(", ")})`}`;
}

function at(ms: number): string {
  // Spans know when they began to the millisecond only.
  return `+${Math.max(0, Math.round(ms))}`.padStart(8);
}

function took(ms: number): string {
  return `${ms.toFixed(1)} ms`.padStart(11);
}

function filterOf(filter: string | undefined): (tree: Node, lines: readonly string[]) => boolean {
  // Files of the portal's build have nothing to tell, and what nobody asked for would stand between the requests.
  if (filter === undefined || filter === "") {
    return ({ span, children }) =>
      span.kind === "consumer"
        ? span.failed || span.links.length > 0
        : span.attributes["http.route"] !== "portal" || children.some((child) => child.children.length > 0);
  }
  const [, digits, unit] = /^(\d+)(ms|s)$/.exec(filter) ?? [];
  if (digits !== undefined) {
    const least = Number(digits) * (unit === "s" ? 1000 : 1);
    return ({ span }) => span.durationMs >= least;
  }
  const text = filter.toLowerCase();
  return (_tree, lines) => lines.some((line) => line.toLowerCase().includes(text));
}
