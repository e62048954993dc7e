// The near end of a probe: asks a process in a pod's network, and waits for its answers.

import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { AnswerTo, Question } from "./protocol.ts";

/** The path of the program that runs in the pod. */
export const probeProgram = new URL("./process.ts", import.meta.url).pathname;

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

/** A probe that runs. */
export class Probe {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #ended: Error | undefined;

  constructor(name: string, child: ChildProcess) {
    if (child.stdout === null || child.stdin === null) throw new Error("A probe needs pipes.");
    this.#child = child;
    // Written to one that has just ended: its end is told below.
    child.stdin.on("error", () => undefined);
    createInterface({ input: child.stdout }).on("line", (line) => this.#take(line));
    child.once("exit", (code, signal) => {
      this.#ended = new Error(`The probe in ${name} ended (${code ?? signal}).`);
      for (const { reject } of this.#waiting.values()) reject(this.#ended);
      this.#waiting.clear();
    });
  }

  ask<Q extends Question>(question: Q): Promise<AnswerTo<Q>> {
    if (this.#ended) return Promise.reject(this.#ended);
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting["resolve"], reject });
      this.#child.stdin?.write(`${JSON.stringify({ id, question })}\n`);
    });
  }

  #take(line: string): void {
    const { id, answer, error } = JSON.parse(line) as { id: number; answer: never; error?: string };
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(error));
  }
}
