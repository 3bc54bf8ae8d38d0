// node --test: what each key means, without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { command, isTyping, pressed, TABLE } from "../../../review/page/keys.js";

const press = (key, more = {}) => command({ key, ...more });

test("every key that the table shows does something", () => {
  for (const row of TABLE) for (const key of row.keys) assert.ok(command(pressed(key)), key);
});

test("digits are slots, from 1 to 0", () => {
  assert.deepEqual(press("1"), { do: "class", slot: 0 });
  assert.deepEqual(press("9"), { do: "class", slot: 8 });
  assert.deepEqual(press("0"), { do: "class", slot: 9 });
});

test("keys of the browser and of the desktop stay theirs", () => {
  for (const key of ["1", "x", "Enter", "s", "t"]) {
    assert.equal(press(key, { ctrlKey: true }), null, key);
    assert.equal(press(key, { altKey: true }), null, key);
    assert.equal(press(key, { metaKey: true }), null, key);
  }
  assert.equal(press("r", { ctrlKey: true }), null);
});

test("a key that is held down moves, and never decides", () => {
  assert.deepEqual(press("ArrowRight", { repeat: true }), { do: "move", to: "right", extend: false });
  for (const key of ["Enter", "1", "x", "s", ".", "u", "t", " "]) assert.equal(press(key, { repeat: true }), null, key);
  assert.equal(press("Enter", { repeat: true, shiftKey: true }), null);
});

test("what an input method is writing is no command", () => {
  assert.equal(press("1", { isComposing: true }), null);
  assert.equal(press("Process"), null);
});

test("never use takes Shift, Caps Lock is not Shift", () => {
  assert.deepEqual(press("N", { shiftKey: true }), { do: "never" });
  assert.equal(press("N"), null);
  assert.equal(press("n"), null);
  assert.deepEqual(press("T"), { do: "other" });
  assert.equal(press("X", { shiftKey: true }), null);
});

test("undo and redo in both spellings", () => {
  assert.deepEqual(press("u"), { do: "undo" });
  assert.deepEqual(press("z", { ctrlKey: true }), { do: "undo" });
  assert.deepEqual(press("U", { shiftKey: true }), { do: "redo" });
  assert.deepEqual(press("Z", { ctrlKey: true, shiftKey: true }), { do: "redo" });
  assert.deepEqual(press("z"), { do: "large" });
});

test("who types in a field, types", () => {
  assert.equal(isTyping({ tagName: "INPUT", type: "text" }), true);
  assert.equal(isTyping({ tagName: "SELECT" }), true);
  assert.equal(isTyping({ tagName: "INPUT", type: "checkbox" }), false);
  assert.equal(isTyping({ tagName: "DIV" }), false);
});
