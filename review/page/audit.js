// An audit: pictures drawn at random, the guess hidden, and how many were right.

import { get, post, Refused } from "./api.js";
import { make, moment, number } from "./dom.js";
import { Pictures } from "./pictures.js";

/** What the answers tell so far, in sentences without statistics. Pure. @param {any} estimate @returns {string[]} */
export function sentences(estimate) {
  if (!estimate) return [];
  const parts = [["Of those filed into folders", estimate.filed], ["Of all drawn, best guess right", estimate.overall]];
  return parts.filter(([, share]) => share?.of).map(([what, share]) => {
    const low = share.low ?? share.interval?.low ?? share.from;
    const high = share.high ?? share.interval?.high ?? share.to;
    const said = `${what}: ${number(share.right)} of ${number(share.of)} right`;
    return low === undefined ? `${said}.` : `${said}; among all pictures that is between ${exact(low)} and ${exact(high)}.`;
  });
}

/** @param {number} share */
function exact(share) {
  return `${(share * 100).toFixed(1)} %`;
}

export class Audits {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    this.inside = make("div", { class: "page-inside" });
    this.element = make("section", { class: "page", tabIndex: 0, "aria-label": "Audit" }, this.inside);
  }

  async open() {
    const told = await get("/api/audits").catch((problem) => problem);
    const audits = told.audits ?? [];
    this.number = make("input", { type: "number", min: 1, max: 10000, value: 50, id: "audit-number" });
    this.inside.replaceChildren(
      make("h1", { text: "Audit" }),
      make("p", { class: "lead", text: "How many are right? Look at some that are drawn at random; what is true of them is true of all, give or take." }),
      make("p", { class: "faint", text: "What the model took a picture for is hidden until you have said what it is, so that it can’t lead you." }),
      make("form", { class: "row", on: { submit: (/** @type {Event} */ event) => { event.preventDefault(); this.draw(); } } },
        make("label", { for: "audit-number", text: "Pictures" }), this.number, make("button", { class: "main-button", text: "Draw" })),
      audits.length ? make("h2", { text: "Drawn before" }) : "",
      make("ul", { class: "models" }, ...audits.map((/** @type {any} */ one) => make("li", {}, make("div", { class: "row" },
        make("a", { href: `#audit=${one.run}`, text: `Audit ${one.run}` }),
        make("span", { class: "faint", text: `${number(one.answered)} of ${number(one.drawn ?? one.n)} answered · ${moment(one.at)}` }))))));
    if (told instanceof Refused) this.app.announce(told.message);
  }

  close() {}

  command() {
    return false;
  }

  async draw() {
    try {
      const drawn = await post("/api/audits", { n: Number(this.number.value) });
      location.hash = `#audit=${drawn.run}`;
    } catch (problem) {
      this.app.announce(/** @type {Refused} */ (problem).message);
    }
  }
}

/** One audit as a screen of pictures, one at a time. @param {any} app @param {number} run */
export function auditScreen(app, run) {
  const so_far = make("div", { class: "about so-far" });
  let timer = 0;
  const screen = new Pictures(app, {
    view: "audit", of: run, title: `Audit ${run}`, audit: run, large: true, extra: so_far,
    answered: () => {
      clearTimeout(timer);
      timer = window.setTimeout(tell, 300);
    },
  });
  async function tell() {
    await app.settled();
    const told = await get(`/api/audits/${run}`).catch(() => null);
    if (!told) return;
    const left = told.drawn - told.answered - (told.skipped ?? 0);
    so_far.replaceChildren(
      make("span", { text: `${number(told.answered)} of ${number(told.drawn)} answered${told.skipped ? `, ${number(told.skipped)} you couldn’t tell` : ""}. ` }),
      ...sentences(told.estimate).map((text) => make("span", { text: `${text} ` })),
      left > 0 ? "" : make("b", { text: "Done. " }),
      make("span", { class: "faint", text: `seed ${told.seed}` }));
    return told;
  }
  const open = screen.open.bind(screen);
  screen.open = async () => {
    await open();
    const told = await tell();
    await firstOpen(screen, told);
  };
  return screen;
}

/** Go on where it was left: the first without a word. @param {Pictures} screen @param {any} told */
async function firstOpen(screen, told) {
  if (!told?.answered) return;
  for (let index = 0; index < screen.rows.total; index += 1) {
    if (index % 100 === 0 && !screen.rows.at(index)) await screen.rows.fetch(index / 100);
    const row = screen.rows.at(index);
    if (row && row.source !== "audit" && !row.pending) return screen.sheet.focus(index);
  }
}

