// node --test: which of a million tiles are in the window.
import assert from "node:assert/strict";
import { test } from "node:test";
import { grid, moved, realTop, rowsAt, scrolledTo, sheetAt, TALLEST, topFor } from "../../../review/page/window.js";

const few = grid({ width: 740, view: 420, side: 100, gap: 10, caption: 30, count: 100 });
const million = grid({ width: 1398, view: 800, side: 190, gap: 10, caption: 40, count: 1_000_000 });

test("tiles fill the width", () => {
  assert.equal(few.columns, 6);
  assert.equal(few.tile, 115);
  assert.equal(few.rowHeight, 155);
  assert.equal(few.rows, 17);
});

test("a narrow window still has a column", () => {
  assert.equal(grid({ width: 60, view: 100, side: 100, gap: 10, caption: 30, count: 3 }).columns, 1);
});

test("a million pictures stay below what browsers lay out, and every row can be looked at", () => {
  assert.equal(million.height, TALLEST);
  assert.ok(million.real > TALLEST);
  assert.equal(realTop(million, 0), 0);
  assert.equal(realTop(million, TALLEST - million.view), million.real - million.view);
  for (const top of [0, 12_345, 17_000_000, million.real - million.view]) {
    assert.ok(Math.abs(realTop(million, scrolledTo(million, top)) - top) < 0.01);
  }
  const last = rowsAt(million, million.real - million.view, 1);
  assert.equal(last.last, million.rows);
  assert.ok((last.last - last.first) * million.columns < 60);
});

test("a sheet is what is wholly in view", () => {
  assert.deepEqual(sheetAt(few, 0, 100), { from: 0, to: 12 });
  assert.deepEqual(sheetAt(few, 155, 100), { from: 6, to: 18 });
  assert.deepEqual(sheetAt(few, 80, 100), { from: 6, to: 18 });
  assert.deepEqual(sheetAt(few, 16 * 155, 100), { from: 96, to: 100 });
});

test("sheet by sheet, every picture is on one", () => {
  let top = 0;
  const seen = new Set();
  for (let turn = 0; turn < 20; turn += 1) {
    const { from, to } = sheetAt(few, top, 100);
    for (let index = from; index < to; index += 1) seen.add(index);
    top = Math.min(top + (few.perSheet / few.columns) * few.rowHeight, few.real - few.view);
  }
  assert.equal(seen.size, 100);
});

test("the focus is brought into view, and no further", () => {
  assert.equal(topFor(few, 0, 0), 0);
  assert.equal(topFor(few, 0, 11), 0);
  assert.equal(topFor(few, 0, 12), 3 * 155 - 420);
  assert.equal(topFor(few, 1000, 0), 0);
});

test("moves end at the ends", () => {
  assert.equal(moved(few, 0, "left", 100), 0);
  assert.equal(moved(few, 99, "right", 100), 99);
  assert.equal(moved(few, 3, "up", 100), 3);
  assert.equal(moved(few, 95, "down", 100), 99);
  assert.equal(moved(few, 97, "down", 100), 97);
  assert.equal(moved(few, 50, "first", 100), 0);
  assert.equal(moved(few, 50, "last", 100), 99);
  assert.equal(moved(few, 0, "sheet-down", 100), 12);
  assert.equal(moved(few, 0, "right", 0), 0);
});
