// Learning from the words: start it, watch it, read what came of it.

import { call, post, Refused } from "./api.js";
import { asked, button, counted, make, moment, percent } from "./dom.js";

const OUTCOMES = {
  serves: "The new model serves.", stays: "The old model stays.", failed: "It didn’t come to an end.",
  stopped: "It was stopped; nothing has changed.", nothing: "There was nothing to learn.",
};

export class Training {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    this.inside = make("div", { class: "page-inside" });
    this.element = make("section", { class: "page", tabIndex: 0, "aria-label": "Training" }, this.inside);
    this.shown = "";
  }

  async open() {
    this.stands();
    await this.app.refresh();
  }

  close() {}

  command() {
    return false;
  }

  /** What is told of it, by /api/now or as an event. */
  stands() {
    const told = this.app.training ?? {};
    const key = JSON.stringify([told, this.app.classes.length]);
    if (key === this.shown) return;
    const progress = this.inside.querySelector("progress");
    if (told.running && progress && this.runs) this.step(told, progress);
    else this.inside.replaceChildren(make("h1", { text: "Training" }), ...(told.running ? this.running(told) : this.idle(told)));
    this.shown = key;
    this.runs = told.running;
  }

  /** @param {any} told */
  running(told) {
    const progress = make("progress", { max: 1, "aria-label": "How far it is" });
    this.stage = make("span", {});
    this.share = make("b", {});
    this.step(told, progress);
    const whose = told.by === "page" ? "Started from this page" : "Started elsewhere, perhaps by the timer";
    return [
      make("p", { class: "lead" }, this.stage, " ", this.share),
      progress,
      make("p", { class: "faint", text: `${whose}, ${moment(told.started_at)}. The model that serves now goes on serving, and you can go on looking: what you say now counts for the next training. You may close this page.` }),
      told.ours ? button("Stop it", () => this.stop()) : "",
    ];
  }

  /** @param {any} told @param {any} progress */
  step(told, progress) {
    this.stage.textContent = told.stage || "Beginning";
    this.share.textContent = percent(told.share);
    if (told.share === null || told.share === undefined) progress.removeAttribute("value");
    else progress.value = told.share;
  }

  /** @param {any} told */
  idle(told) {
    const words = told.new_labels ?? null;
    return [
      ...result(told),
      make("p", { class: "lead", text: words === null ? "The model learns from what you have said." : words ? `${counted(words, "word")} since the model was last trained.` : "Nothing has been said since the model was last trained." }),
      make("p", { class: "faint", text: "A new model is tested on pictures with your word that it hasn’t learned from. It serves only if it is better; otherwise a plain sentence says why the old one stays." }),
      make("div", { class: "row" },
        button("Start training", () => this.start(), { class: "main-button" }),
        make("label", { title: "Learns from turned and shifted copies as well; slower, better where there are few words" },
          (this.more = make("input", { type: "checkbox" })), " take more time (with turned copies)")),
    ];
  }

  async start() {
    try {
      const told = await post("/api/retrain", { augment: this.more.checked ? 4 : 0 });
      this.app.heard("training", told);
    } catch (problem) {
      this.app.announce(/** @type {Refused} */ (problem).message);
    }
  }

  async stop() {
    if (!(await asked("Stop the training? What it has done so far is dropped; the model that serves goes on.", "Stop it"))) return;
    try {
      this.app.heard("training", await call("DELETE", "/api/retrain"));
    } catch (problem) {
      this.app.announce(/** @type {Refused} */ (problem).message);
    }
  }
}

/** @param {any} told */
function result(told) {
  if (!told.outcome) return [];
  const head = OUTCOMES[/** @type {"serves"} */ (told.outcome)] ?? "";
  return [make("div", { class: `result ${told.outcome}` },
    told.sentence?.startsWith(head.slice(0, -1)) ? "" : make("p", { class: "lead", text: head }),
    told.sentence ? make("p", { text: told.sentence }) : "",
    make("p", { class: "faint", text: moment(told.ended_at) }),
    told.version ? make("p", { class: "row" },
      make("a", { href: `#report=${told.version}`, text: `Report of v${told.version}` }),
      make("a", { href: "#models", text: "Models" })) : "",
    told.outcome === "serves" ? make("p", { class: "faint" }, "What it would move among pictures that nobody has confirmed: ", make("code", { text: "imgsort refile" })) : "")];
}
