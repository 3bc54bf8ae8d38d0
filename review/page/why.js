// Why does it lie there? What each model says, what it looks like, who moved it, who said what.

import { get, Refused, thumb } from "./api.js";
import { make, moment, percent } from "./dom.js";

const SOON = 200;

export class Why {
  /** @param {() => string} root of the workspace, from which paths are told */
  constructor(root) {
    this.root = root;
    this.inside = make("div", { class: "why-inside" });
    this.element = make("aside", { class: "why", hidden: true, tabIndex: 0, "aria-label": "Why it lies here" }, this.inside);
    this.timer = 0;
    this.sha256 = "";
    /** @type {Map<string, any>} */
    this.known = new Map();
  }

  get open() {
    return !this.element.hidden;
  }

  /** @param {import("./tile.js").Row | undefined} row @param {boolean} guessHidden */
  show(row, guessHidden) {
    clearTimeout(this.timer);
    if (!row || !this.open) return;
    this.sha256 = row.sha256;
    if (guessHidden) {
      this.inside.replaceChildren(make("p", { text: "The guess is hidden here, so that it doesn’t lead you. g shows it." }));
      return;
    }
    const known = this.known.get(row.sha256);
    if (known) this.tell(known);
    else {
      this.inside.replaceChildren(make("p", { class: "faint", text: "Asking the model… (the first time takes some seconds)" }));
      this.timer = window.setTimeout(() => this.ask(row.sha256), SOON);
    }
  }

  /** What was told of a picture isn't so any more. */
  forget(/** @type {string} */ sha256) {
    this.known.delete(sha256);
  }

  /** @param {string} sha256 */
  async ask(sha256) {
    let told;
    try {
      told = await get(`/api/pictures/${sha256}/why`);
    } catch (problem) {
      if (this.sha256 === sha256) this.inside.replaceChildren(make("p", { text: /** @type {Refused} */ (problem).message }));
      return;
    }
    this.known.set(sha256, told);
    if (this.sha256 === sha256) this.tell(told);
  }

  /** @param {any} told */
  tell(told) {
    this.inside.replaceChildren(
      ...opinion("When it came", told.decided_by),
      ...opinion("The model that serves now", told.active_model),
      ...nearest(told.nearest_labelled),
      ...list("What people said", told.labels.map(label)),
      ...list("Where it was", told.moves.map((/** @type {any} */ one) => move(one, this.root()))),
      ...list("", told.notes ?? []),
      ...facts(told.row),
    );
  }
}

/** @param {string} title @param {any} said */
function opinion(title, said) {
  if (!said) return [];
  const needs = said.threshold === null ? "is never filed by it" : `is filed from ${percent(said.threshold)} on`;
  return [
    make("h3", { text: `${title} (v${said.model})` }),
    make("p", { text: said.label ? `${said.label}, ${percent(said.confidence)} sure; ${said.label} ${needs}.` : said.reason ?? "" }),
    said.label && said.reason ? make("p", { class: "faint", text: said.reason }) : "",
    make("ul", { class: "bars" }, ...said.top.map((/** @type {any} */ one) => {
      const bar = make("span", { class: "bar-fill", "aria-hidden": "true" });
      bar.style.width = `${Math.max(1, Math.round(one.confidence * 100))}%`;
      return make("li", {}, make("span", { class: "bar-name", text: one.label }),
        make("span", { class: "bar-room" }, bar), make("span", { class: "bar-share", text: percent(one.confidence) }));
    })),
  ];
}

/** @param {any[]} neighbours */
function nearest(neighbours) {
  if (!neighbours?.length) return [];
  return [
    make("h3", { text: "Looks most like (pictures with your word)" }),
    make("ul", { class: "alike" }, ...neighbours.map((one) => make("li", {},
      one.path ? make("img", { src: thumb(one.sha256, 192), alt: "" }) : make("span", { class: "nothing", text: "gone" }),
      make("span", { text: one.label })))),
  ];
}

/** @param {any} said */
function label(said) {
  const kinds = { label: said.label, withdrawn: "none of these", never_use: "never use" };
  const what = kinds[/** @type {"label"} */ (said.kind)] ?? said.kind;
  return `${moment(said.labelled_at)}: ${what}${said.taken_back ? " (taken back)" : ""}`;
}

/** @param {any} move @param {string} root */
function move({ done_at: at, from, to, run_kind: run }, root) {
  const short = (/** @type {string} */ path) => path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
  return `${moment(at)}: ${short(from)} → ${short(to)} (${run})`;
}

/** @param {string} title @param {string[]} lines */
function list(title, lines) {
  if (!lines.length) return [];
  return [title ? make("h3", { text: title }) : "", make("ul", {}, ...lines.map((text) => make("li", { text })))];
}

/** @param {any} row */
function facts(row) {
  const told = [row.captured_at && `Taken ${moment(row.captured_at)}`, row.camera && `with ${row.camera}`].filter(Boolean);
  return told.length ? [make("p", { class: "faint", text: told.join(" ") })] : [];
}
