// The list at the side: what there is to look at, and how much of it.

import { make, number } from "./dom.js";

const MANY = 14;

/** The fragment of a screen: its name and what of. Pure. @param {string} hash */
export function place(hash) {
  const [name, ...rest] = hash.replace(/^#/, "").split("=");
  const of = rest.join("=");
  return { name: name || "unsure", of, parts: of.split(",").map((part) => decode(part)) };
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The fragment of a cell of the matrix. Pure. */
export function cellPlace(/** @type {number} */ version, /** @type {string} */ truth, /** @type {string} */ said) {
  return `#cell=${[version, truth, said].map((part) => encodeURIComponent(part)).join(",")}`;
}

export class Places {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.filter = "";
    this.classBox = make("ul", {});
    this.find = make("input", {
      type: "search", class: "find", placeholder: "find a class", "aria-label": "Find a class", hidden: true,
      on: { input: () => { this.filter = this.find.value; this.fillClasses(); } },
    });
    this.todo = make("ul", {});
    this.rest = make("ul", {});
    this.classHead = make("h2", { text: "Classes" });
    element.append(make("h2", { text: "To look at" }), this.todo, this.classHead, this.find, this.classBox,
      make("h2", { text: "And then" }), this.rest);
    this.classes = [];
    this.here = "";
  }

  /** @param {any} app */
  show(app) {
    const counts = app.now?.counts ?? {};
    this.classes = app.classes;
    this.todo.replaceChildren(
      this.link("#unsure", "Unsure", counts.unsure),
      this.link("#next", "Best to ask", null, "The pictures whose word teaches the model most"),
      this.link("#suspects", "Perhaps slips", counts.suspects || null, "Words of yours that the model finds odd"),
      this.link("#rejected", "Rejected", counts.rejected),
      this.link("#search", "Search", null),
      this.link("#recent", "Just said", null));
    this.rest.replaceChildren(
      this.link("#audit", "Audit", null, "How many are right? Draw some at random"),
      this.link("#training", "Training", null, "", app.training?.running ? "running" : ""),
      this.link("#models", "Models", null),
      this.link("#report", "Report", null),
      this.link("#status", "Status", null, "", app.notices ? "!" : ""));
    this.fillClasses();
  }

  fillClasses() {
    const full = this.classes.filter((/** @type {any} */ one) => one.pictures > 0 || this.classes.length <= MANY);
    this.find.hidden = this.classes.length <= MANY;
    const text = this.filter.trim().toLowerCase();
    const fits = text ? this.classes.filter((/** @type {any} */ one) => one.name.toLowerCase().includes(text)) : full;
    this.classBox.replaceChildren(...fits.slice(0, 300).map((/** @type {any} */ one) => this.link(`#class=${one.id}`, one.name, one.pictures)));
    this.classHead.hidden = !this.classes.length;
  }

  /** @param {string} href @param {string} text @param {number | null | undefined} count @param {string} [title] @param {string} [badge] */
  link(href, text, count, title = "", badge = "") {
    const current = href === this.here || (this.here.startsWith(`${href}=`) && href !== "#class");
    return make("li", {}, make("a", { href, title, "aria-current": current ? "page" : undefined },
      make("span", { class: "place-name", text }),
      badge ? make("span", { class: "badge", text: badge }) : "",
      count === null || count === undefined ? "" : make("span", { class: "place-count", text: number(count) })));
  }

  /** @param {string} hash */
  at(hash) {
    this.here = hash || "#unsure";
    for (const link of this.element.querySelectorAll("a")) {
      const href = link.getAttribute("href") ?? "";
      const current = href === this.here || (href !== "#class" && this.here.startsWith(`${href}=`));
      if (current) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }
}
