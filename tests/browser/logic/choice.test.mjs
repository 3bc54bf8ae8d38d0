// node --test: what the next key means.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Choice } from "../../../review/page/choice.js";

test("without a choice a key means the one in focus", () => {
  const choice = new Choice();
  choice.go(4);
  assert.deepEqual(choice.meant(), [4]);
});

test("Shift extends from where it began, forth and back", () => {
  const choice = new Choice();
  choice.go(4);
  choice.go(7, true);
  assert.deepEqual(choice.meant(), [4, 5, 6, 7]);
  choice.go(2, true);
  assert.deepEqual(choice.meant(), [2, 3, 4]);
});

test("moving on without Shift keeps what was chosen one by one", () => {
  const choice = new Choice();
  choice.toggle(3);
  choice.toggle(9);
  choice.go(20);
  assert.deepEqual(choice.meant(), [3, 9]);
  choice.toggle(3);
  assert.deepEqual(choice.meant(), [9]);
});

test("after a word the next one that wasn't meant is in focus", () => {
  const choice = new Choice();
  assert.equal(choice.after([3], 10), 4);
  assert.equal(choice.after([3, 4, 6], 10), 5);
  assert.equal(choice.after([8, 9], 10), 9);
});
