// node --test: what counts as seen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Seen } from "../../../review/page/seen.js";

test("what showed for 300 ms has been seen, what was scrolled past hasn't", () => {
  const seen = new Seen();
  assert.equal(seen.look([1, 2, 3], 0), true);
  assert.equal(seen.look([2, 3, 4], 200), true);
  assert.equal(seen.look([3, 4], 300), true);
  assert.deepEqual(seen.ranges(), [[3, 4]]);
  assert.equal(seen.look([4], 500), false);
  assert.deepEqual(seen.ranges(), [[3, 5]]);
});

test("it must show without a break", () => {
  const seen = new Seen();
  seen.look([1], 0);
  seen.look([], 200);
  seen.look([1], 250);
  seen.look([1], 400);
  assert.equal(seen.count, 0);
});

test("a hidden page shows nothing", () => {
  const seen = new Seen();
  seen.look([1], 0);
  seen.away();
  seen.look([1], 1000);
  assert.equal(seen.count, 0);
});
