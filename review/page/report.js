// What got better: the sentences, the table of mix-ups with the pictures behind each number, the whole report.

import { get, Refused } from "./api.js";
import { make, number } from "./dom.js";
import { cellPlace } from "./places.js";

export class Report {
  /** @param {any} app @param {number | null} version */
  constructor(app, version) {
    this.app = app;
    this.version = version;
    this.element = make("section", { class: "page", tabIndex: 0, "aria-label": "Report" }, make("div", { class: "page-inside" }));
    this.inside = this.element.firstChild;
  }

  async open() {
    try {
      const version = this.version ?? (await newest());
      if (version === null) return this.tell("No model has been trained yet. Say what some pictures are, then start a training.");
      this.show(await get(`/api/reports/${version}`));
    } catch (problem) {
      this.tell(/** @type {Refused} */ (problem).message);
    }
  }

  close() {}

  command() {
    return false;
  }

  /** @param {string} text */
  tell(text) {
    this.inside.replaceChildren(make("h1", { text: "Report" }), make("p", { class: "lead", text }));
  }

  /** @param {any} told */
  show(told) {
    this.inside.replaceChildren(
      make("h1", { text: `Report of v${told.version}` }),
      make("p", { class: "lead", text: told.summary[0] ?? "" }),
      told.matrix ? matrix(told) : "",
      ...told.summary.slice(1).map((/** @type {string} */ text) => make("p", { text })),
      make("h2", { text: "The whole report" }),
      make("iframe", { class: "report", src: `/report/${told.version}`, title: `Report of v${told.version}`, sandbox: "" }));
  }
}

/** @returns {Promise<number | null>} */
async function newest() {
  const told = await get("/api/models");
  const models = told.models ?? told;
  return models.filter((/** @type {any} */ one) => one.has_report).map((/** @type {any} */ one) => one.version).sort((/** @type {number} */ a, /** @type {number} */ b) => b - a)[0] ?? null;
}

/** @param {any} told */
function matrix(told) {
  const { classes, counts } = told.matrix;
  const most = Math.max(1, ...counts.flatMap((/** @type {number[]} */ row, /** @type {number} */ place) => row.filter((_, column) => column !== place)));
  const head = make("tr", {}, make("td", {}), ...classes.map((/** @type {string} */ name) => make("th", { scope: "col", text: name })));
  const rows = counts.map((/** @type {number[]} */ row, /** @type {number} */ place) => make("tr", {},
    make("th", { scope: "row", text: classes[place] }),
    ...row.map((count, column) => cell(told, classes[place], classes[column], count, most))));
  return make("div", { class: "matrix-box" },
    make("h2", { text: "What is taken for what" }),
    make("p", { class: "faint", text: "Each row: pictures that you call so. Each column: what the model says. Open a number to see its pictures." }),
    make("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "What is taken for what" }, make("table", { class: "matrix" }, make("thead", {}, head), make("tbody", {}, ...rows))));
}

/** @param {any} told @param {string} truth @param {string} said @param {number} count @param {number} most */
function cell(told, truth, said, count, most) {
  const right = truth === said;
  if (!count) return make("td", { class: "none", text: "·" });
  const what = right ? `${truth}, taken for that: ${count}` : `${truth} taken for ${said}: ${count}`;
  const inside = told.cells_open === false ? make("span", { text: number(count) })
    : make("a", { href: cellPlace(told.version, truth, said), "aria-label": what, text: number(count) });
  const found = make("td", { class: right ? "right" : "wrong" }, inside);
  if (!right) found.style.setProperty("--much", String(Math.min(1, 0.25 + (0.75 * count) / most)));
  return found;
}
