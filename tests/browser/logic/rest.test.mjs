// node --test: undo's order, fragments, the class box, events, search, an audit's sentences.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parsed } from "../../../review/page/api.js";
import { sentences } from "../../../review/page/audit.js";
import { percent } from "../../../review/page/dom.js";
import { fitting } from "../../../review/page/picker.js";
import { cellPlace, place } from "../../../review/page/places.js";
import { wanted } from "../../../review/page/search.js";
import { History } from "../../../review/page/undo.js";

const said = (act) => ({ act, text: act, pictures: 1, undone: false });

test("undo goes back in order, redo forth again, a new word ends that", () => {
  const history = new History();
  for (const act of ["a", "b", "c"]) history.add(said(act));
  assert.equal(history.last.act, "c");
  history.mark("c", true);
  history.mark("b", true);
  assert.equal(history.last.act, "a");
  assert.equal(history.next.act, "b");
  history.mark("b", false);
  assert.equal(history.next.act, "c");
  history.add(said("d"));
  assert.equal(history.next, null);
  assert.equal(history.last.act, "d");
});

test("what the server remembers comes before what was said here", () => {
  const history = new History();
  history.add(said("new"));
  history.remember([said("new"), said("older"), said("oldest")]);
  assert.deepEqual(history.acts.map((one) => one.act), ["oldest", "older", "new"]);
});

test("fragments name a screen, whatever the classes are called", () => {
  assert.deepEqual(place("").name, "unsure");
  assert.deepEqual(place("#class=7"), { name: "class", of: "7", parts: ["7"] });
  const odd = ["a,b", "javascript:alert(1)"];
  assert.deepEqual(place(cellPlace(2, odd[0], odd[1])).parts, ["2", ...odd]);
  assert.deepEqual(place("#cell=%").parts, ["%"]);
});

test("classes that begin with what is typed come first", () => {
  const classes = ["wildcat", "dog", "Cat", "caterpillar"].map((name) => ({ name }));
  assert.deepEqual(fitting(classes, "cat").map((one) => one.name), ["Cat", "caterpillar", "wildcat"]);
  assert.equal(fitting(classes, "").length, 4);
  assert.deepEqual(fitting(classes, "cow"), []);
});

test("events of the stream are read, comments are not", () => {
  assert.deepEqual(parsed('id: 7\nevent: label\ndata: {"act": "a"}'), { id: "7", kind: "label", data: { act: "a" } });
  assert.equal(parsed(": still here"), null);
  assert.deepEqual(parsed("event: reload\ndata: null"), { id: "", kind: "reload", data: null });
});

test("a search asks for what was filled in, shares as the log has them", () => {
  assert.deepEqual(wanted("name=IMG&below=40&model=2&class="), { name: "IMG", below: 0.4, model: 2 });
  assert.equal(wanted(""), null);
});

test("no share is called whole or none that isn't", () => {
  assert.deepEqual([1, 0.9999, 0.5, 0.001, 0, null].map(percent), ["100 %", "> 99 %", "50 %", "< 1 %", "0 %", ""]);
});

test("an audit says between which shares the truth lies", () => {
  const filed = { right: 16, of: 17, estimate: 0.94, interval: { low: 0.7302, high: 0.9895 } };
  assert.deepEqual(sentences({ filed, overall: { right: 0, of: 0 } }),
    ["Of those filed into folders: 16 of 17 right; among all pictures that is between 73.0 % and 99.0 %."]);
  assert.deepEqual(sentences(null), []);
});
