// Pictures by name, time, how sure the model was, model, class.

import { make } from "./dom.js";

const FIELDS = [
  { name: "name", text: "Name has", kind: "text" },
  { name: "class", text: "Class", kind: "text" },
  { name: "since", text: "Since", kind: "text", hint: "2026-11-22, 7d, 12h" },
  { name: "until", text: "Until", kind: "text", hint: "2026-11-28" },
  { name: "above", text: "Surer than, %", kind: "number" },
  { name: "below", text: "Less sure than, %", kind: "number" },
  { name: "model", text: "Model", kind: "number" },
];
const SHARES = new Set(["above", "below"]);

/** What the fragment asks for, as the server wants it; null where it asks nothing. Pure. @param {string} of */
export function wanted(of) {
  const given = new URLSearchParams(of);
  /** @type {Record<string, string | number>} */
  const found = {};
  for (const { name, kind } of FIELDS) {
    const text = given.get(name)?.trim();
    if (!text) continue;
    const value = kind === "number" ? Number(text) : text;
    found[name] = SHARES.has(name) ? Number(value) / 100 : value;
  }
  return Object.keys(found).length ? found : null;
}

/** The form above the pictures. @param {string} of @param {string[]} classes @returns {HTMLElement} */
export function searchForm(of, classes) {
  const given = new URLSearchParams(of);
  const inputs = FIELDS.map(({ name, text, kind, hint }) => make("label", {}, `${text} `, make("input", {
    name, type: kind, value: given.get(name) ?? "", placeholder: hint ?? "", ...(kind === "number" ? { step: "any" } : {}),
  })));
  const form = make("form", {
    class: "search", role: "search", on: {
      submit: (/** @type {Event} */ event) => {
        event.preventDefault();
        const filled = [...new FormData(form)].filter(([, value]) => String(value).trim());
        location.hash = `#search=${new URLSearchParams(/** @type {any} */ (filled))}`;
      },
    },
  }, ...inputs, make("button", { class: "main-button", text: "Search" }));
  const options = make("datalist", { id: "class-names" }, ...classes.slice(0, 1000).map((value) => make("option", { value })));
  form.querySelector("input[name=class]")?.setAttribute("list", "class-names");
  form.append(options);
  return form;
}
