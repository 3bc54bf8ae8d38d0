// node --test: words reach the server once each, in order, whatever happens on the way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Queue } from "../../../review/page/queue.js";

/** A queue whose server answers what `answers` gives, in order, then "written". */
function queue(answers = []) {
  const told = { sent: [], answered: [], refused: [], trouble: [] };
  const made = new Queue({
    send: async (item) => {
      told.sent.push(structuredClone(item));
      const next = answers.shift();
      return typeof next === "function" ? next(item) : next ?? written(item);
    },
    changed: () => {},
    answered: (item) => told.answered.push(item.act),
    refused: (item, sent) => told.refused.push([item.act, item.pictures.map((one) => one.sha256), sent.sentence]),
    trouble: (sentence) => told.trouble.push(sentence),
    pause: async () => {},
  });
  return { queue: made, told };
}

let words = 100;
const written = (item, outcome = "written") => ({
  ok: true,
  answer: { act: item.act, pictures: item.pictures.map(({ sha256 }) => ({ sha256, outcome, row: { sha256, word: ++words } })) },
});
const act = (name, ...shas) => ({ act: name, kind: "say", say: { is: "cat" }, pictures: shas.map((sha256) => ({ sha256, word: 1 })) });

test("acts go one at a time and in order", async () => {
  const { queue: one, told } = queue();
  await Promise.all([one.put(act("a", "p")), one.put(act("b", "q")), one.put(act("c", "r"))]);
  while (one.running) await new Promise(setImmediate);
  assert.deepEqual(told.answered, ["a", "b", "c"]);
  assert.equal(one.items.length, 0);
});

test("what isn't answered is sent again under the same id", async () => {
  const busy = { ok: false, retry: true, sentence: "The disk is full." };
  const { queue: one, told } = queue([busy, busy]);
  await one.put(act("a", "p"));
  assert.deepEqual(told.sent.map((item) => item.act), ["a", "a", "a"]);
  assert.deepEqual(told.answered, ["a"]);
  assert.deepEqual(told.trouble, ["The disk is full.", "The disk is full.", null]);
});

test("a second word on a picture follows the first: it knows the word that was written", async () => {
  const { queue: one, told } = queue();
  const first = one.put(act("a", "p"));
  one.put(act("b", "p"));
  await first;
  const word = told.sent[1].pictures[0].word;
  assert.equal(word, words - 1);
  assert.equal("after" in told.sent[1].pictures[0], false);
});

test("after a conflict, what was said of the same picture later isn't sent, and is told", async () => {
  const { queue: one, told } = queue([(item) => written(item, "conflict")]);
  const first = one.put(act("a", "p"));
  one.put(act("b", "p", "q"));
  await first;
  assert.deepEqual(told.sent[1].pictures.map((each) => each.sha256), ["q"]);
  assert.deepEqual(told.refused.map(([name, shas]) => [name, shas]), [["b", ["p"]]]);
});

test("what is refused is dropped with its sentence, the rest goes on", async () => {
  const { queue: one, told } = queue([{ ok: false, retry: false, sentence: "There is no class kat." }]);
  one.put(act("a", "p"));
  await one.put(act("b", "q"));
  while (one.running) await new Promise(setImmediate);
  assert.deepEqual(told.refused, [["a", ["p"], "There is no class kat."]]);
  assert.deepEqual(told.answered, ["b"]);
});

test("only what has not been sent can be unsaid", async () => {
  const { queue: one, told } = queue();
  const running = one.put(act("a", "p"));
  one.put(act("b", "q"));
  assert.equal(one.unsay("a"), null);
  assert.equal(one.unsay("b").act, "b");
  await running;
  assert.deepEqual(told.sent.map((item) => item.act), ["a"]);
});
