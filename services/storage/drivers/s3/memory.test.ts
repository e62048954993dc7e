import { describe, expect, it } from "@jest/globals";
import { PartMemory } from "./memory.ts";

const nobody = () => undefined;

describe("the memory of parts", () => {
  it("is given in the order of asking, and never beyond its limit", async () => {
    const memory = new PartMemory(10);
    const first = await memory.take(6, nobody);
    const order: string[] = [];
    const large = memory.take(8, nobody).then((room) => {
      order.push("large");
      return room;
    });
    // It would fit, but came later.
    const small = memory.take(1, nobody).then((room) => {
      order.push("small");
      return room;
    });
    expect(memory.used).toBe(6);
    first.release();
    first.release();
    const rooms = [await large, await small];
    expect(order).toEqual(["large", "small"]);
    expect(memory.used).toBe(9);
    for (const room of rooms) room.release();
    expect(memory.used).toBe(0);
  });

  it("is all given to who asks for more than there is", async () => {
    const memory = new PartMemory(10);
    const room = await memory.take(100, nobody);
    expect([memory.used, room.bytes]).toEqual([10, 100]);
    room.release();
    expect(memory.used).toBe(0);
  });

  it("presses who fills slowly while others wait, and not who sends", async () => {
    const memory = new PartMemory(2);
    const pressed: string[] = [];
    const sending = await memory.take(1, () => pressed.push("sending"));
    sending.sending();
    const filling = await memory.take(1, () => {
      pressed.push("filling");
      filling.release();
    });
    (await memory.take(1, nobody)).release();
    expect(pressed).toEqual(["filling"]);
    sending.release();
  });
});
