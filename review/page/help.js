// `?`: every key, grouped.

import { cap, make } from "./dom.js";
import { TABLE } from "./keys.js";

export function showKeys() {
  if (document.querySelector("dialog.keys")) return;
  const groups = [...new Set(TABLE.map((row) => row.group))];
  const dialog = make("dialog", { class: "keys", "aria-label": "Keys", on: { close: () => dialog.remove() } },
    make("form", { method: "dialog", class: "row" }, make("h2", { text: "Keys" }), make("button", { text: "Close", class: "plain" })),
    make("div", { class: "key-groups" }, ...groups.map((group) => make("section", {},
      make("h3", { text: group }),
      make("dl", {}, ...TABLE.filter((row) => row.group === group).flatMap((row) => [
        make("dt", {}, ...(row.shown ?? row.keys).map(cap)), make("dd", { text: row.does })]))))),
    make("p", { class: "faint", text: "A word is said of the picture with the frame, or of all that are chosen. Nothing is ever deleted; u takes any word back, with the move it caused." }));
  dialog.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "?") dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}
