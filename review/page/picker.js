// The box with all classes: the first letters, Enter; a new class only by Shift+Enter.

import { make } from "./dom.js";

const MOST = 60;

/**
 * Classes that fit what is typed: those that begin with it, then those that have it anywhere. Pure.
 * @template {{name: string}} T
 * @param {T[]} classes
 * @param {string} typed
 * @returns {T[]}
 */
export function fitting(classes, typed) {
  const text = typed.trim().toLowerCase();
  const begins = classes.filter((one) => one.name.toLowerCase().startsWith(text));
  const has = classes.filter((one) => {
    const name = one.name.toLowerCase();
    return text && !name.startsWith(text) && name.includes(text);
  });
  return [...begins, ...has];
}

/** @typedef {{is: string, new_class?: true | "even so"}} Picked */

/**
 * @param {{name: string}[]} classes
 * @param {{typed?: string, warning?: string, evenSo?: boolean}} [given] how it opens
 * @returns {Promise<Picked | null>}
 */
export function picked(classes, given = {}) {
  return new Promise((answer) => new Picker(classes, given, answer).open());
}

class Picker {
  /** @param {{name: string}[]} classes @param {any} given @param {(picked: Picked | null) => void} answer */
  constructor(classes, given, answer) {
    this.classes = classes;
    this.given = given;
    this.answer = answer;
    /** @type {Picked | null} */
    this.result = null;
    this.active = 0;
    /** @type {{name: string}[]} */
    this.shown = [];
    this.list = make("ul", { role: "listbox", id: "picker-list", class: "options", "aria-label": "Classes" });
    this.input = make("input", {
      type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "picker-list", "aria-autocomplete": "list",
      "aria-label": "Class", autocomplete: "off", spellcheck: false, maxLength: 255, value: given.typed ?? "",
      on: { input: () => this.fill(), keydown: (/** @type {KeyboardEvent} */ event) => this.key(event) },
    });
    this.hint = make("p", { class: "faint hint" });
    this.dialog = make("dialog", { class: "picker", "aria-label": "Which class?", on: { close: () => this.closed() } },
      given.warning ? make("p", { class: "bad", role: "alert", text: given.warning }) : "", this.input, this.list, this.hint);
  }

  open() {
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.fill();
    this.input.select();
    this.dialog.addEventListener("click", (/** @type {MouseEvent} */ event) => event.target === this.dialog && this.dialog.close());
  }

  fill() {
    this.shown = fitting(this.classes, this.input.value).slice(0, MOST);
    this.active = 0;
    this.list.replaceChildren(...this.shown.map((one, place) => make("li", {
      role: "option", id: `option-${place}`, text: one.name, "aria-selected": String(place === this.active),
      on: { click: () => this.take(place) },
    })));
    this.list.hidden = !this.shown.length;
    const typed = this.input.value.trim();
    const isNew = typed && !this.classes.some((one) => one.name === typed);
    this.hint.replaceChildren(
      isNew ? make("button", { type: "button", class: "plain", text: `Make ${typed} a new class`, on: { click: () => this.fresh() } }) : "",
      isNew ? make("kbd", { text: "Shift+Enter" }) : "Enter takes the marked one");
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === this.active)));
    this.list.children[this.active]?.scrollIntoView({ block: "nearest" });
    if (this.shown.length) this.input.setAttribute("aria-activedescendant", `option-${this.active}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.shown.length) {
      this.active = (this.active + step + this.shown.length) % this.shown.length;
      this.mark();
    } else if (event.key === "Enter") {
      if (event.shiftKey) this.fresh();
      else if (this.shown.length) this.take(this.active);
    } else return;
    event.preventDefault();
  }

  /** @param {number} place */
  take(place) {
    this.result = { is: this.shown[place].name };
    this.dialog.close();
  }

  fresh() {
    const name = this.input.value.trim();
    if (!name) return;
    const known = this.classes.some((one) => one.name === name);
    this.result = known ? { is: name } : { is: name, new_class: this.given.evenSo ? "even so" : true };
    this.dialog.close();
  }

  closed() {
    this.dialog.remove();
    this.answer(this.result);
  }
}
