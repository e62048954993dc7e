// A world whose members make tasks.
import type { Task } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { TaskService } from "@docket/contracts/gen/docket/document/v1/task_service_pb.ts";
import { at, type Somebody, startWorld } from "./world.ts";

/** A world with its TaskService, and one member. */
export async function startTasks(options: Parameters<typeof startWorld>[0] = {}) {
  const world = await startWorld(options);
  const tasks = world.client(TaskService);
  const ann = await world.person("member");
  return {
    world,
    tasks,
    ann,
    async create(who: Somebody, values: Parameters<typeof tasks.createTask>[0]): Promise<Task> {
      const { task } = await tasks.createTask({ title: "Look", ...values }, who.as);
      if (task === undefined) throw new Error("no task");
      return task;
    },
    async get(who: Somebody, taskId: string): Promise<Task> {
      const { task } = await tasks.getTask({ taskId }, who.as);
      if (task === undefined) throw new Error("no task");
      return task;
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** The place of a task that stands alone in a workspace. */
export const alone = at;
export const toPerson = ({ id }: { id: string }) => ({ assignee: { case: "personId" as const, value: id } });
export const toGroup = (id: string) => ({ assignee: { case: "groupId" as const, value: id } });

/** The titles of the tasks of an answer, in its order. */
export async function titles(call: Promise<{ tasks: Task[] }>): Promise<string[]> {
  return (await call).tasks.map(({ title }) => title);
}
