// The models there are: which one serves, back to another.

import { get, post, Refused } from "./api.js";
import { asked, button, make, moment, number } from "./dom.js";

export class Models {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    this.inside = make("div", { class: "page-inside" });
    this.element = make("section", { class: "page", tabIndex: 0, "aria-label": "Models" }, this.inside);
  }

  async open() {
    try {
      const told = await get("/api/models");
      this.show(told.models ?? told);
    } catch (problem) {
      this.inside.replaceChildren(make("h1", { text: "Models" }), make("p", { class: "lead", text: /** @type {Refused} */ (problem).message }));
    }
  }

  close() {}

  command() {
    return false;
  }

  /** @param {any[]} models */
  show(models) {
    const newestFirst = [...models].sort((one, other) => other.version - one.version);
    this.inside.replaceChildren(
      make("h1", { text: "Models" }),
      make("p", { class: "faint", text: "A model is never changed and never thrown away by this page. Another one serves from the next picture on; pictures that lie in their folders stay there." }),
      make("ul", { class: "models" }, ...newestFirst.map((one) => this.model(one))),
      models.length > 1 ? make("div", { class: "row" }, button("Back to the one before", () => this.rollBack())) : "");
  }

  /** @param {any} one */
  model(one) {
    const about = one.damaged ?? `${one.kind === "imagenet" ? "the first model, without your words" : "learned from your words"} · ${number(one.classes)} classes · ${moment(one.created_at)}`;
    return make("li", { class: one.active ? "serves" : "" },
      make("div", { class: "row" }, make("b", { text: `v${one.version}` }), one.active ? make("span", { class: "badge", text: "serves" }) : "",
        make("span", { class: "space" }),
        one.has_report ? make("a", { href: `#report=${one.version}`, text: "report" }) : "",
        one.active || one.damaged ? "" : button("Let it serve", () => this.activate(one.version), { "aria-label": `Let v${one.version} serve` })),
      make("p", { class: one.damaged ? "bad" : "faint", text: about }),
      one.sentence ? make("p", { text: one.sentence }) : "");
  }

  /** @param {number} version */
  async activate(version) {
    if (!(await asked(`Let v${version} serve from now on? The next pictures are judged by it.`, `Let v${version} serve`))) return;
    await this.change(`/api/models/${version}/activate`);
  }

  async rollBack() {
    if (!(await asked("Go back to the model that served before this one?", "Go back"))) return;
    await this.change("/api/models/rollback");
  }

  /** @param {string} path */
  async change(path) {
    try {
      const told = await post(path, {});
      this.app.announce(`v${told.active} serves now.`);
    } catch (problem) {
      this.app.announce(/** @type {Refused} */ (problem).message);
    }
    await this.open();
    this.app.refresh();
  }
}
