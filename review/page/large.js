// One picture, as large as the window is.

import { thumb } from "./api.js";
import { make, percent } from "./dom.js";
import { guessOf, wordOf } from "./tile.js";

export class Large {
  constructor() {
    this.image = make("img", { class: "large-image", alt: "", draggable: false });
    this.nothing = make("div", { class: "nothing", hidden: true });
    this.caption = make("div", { class: "large-caption" });
    this.element = make("figure", { class: "large", hidden: true, "aria-label": "The picture, large" },
      make("div", { class: "large-room" }, this.image, this.nothing), make("figcaption", {}, this.caption));
    this.sha256 = "";
    this.onpainted = () => {};
    this.image.addEventListener("load", () => this.sharper());
    this.image.addEventListener("error", () => this.none("This picture can’t be shown."));
  }

  get open() {
    return !this.element.hidden;
  }

  /** @param {import("./tile.js").Row | undefined} row @param {boolean} guessHidden */
  show(row, guessHidden) {
    if (!row) return;
    if (row.state !== "here") this.none(row.state === "gone" ? "It is gone." : row.reason ?? "It can’t be read.");
    else if (row.sha256 !== this.sha256) this.picture(row);
    const word = wordOf(row);
    const said = row.pending ?? word;
    const told = guessOf(row);
    const guess = guessHidden || !told.guess ? "" : `${told.guess}? ${percent(told.sure)}`;
    this.caption.replaceChildren(
      make("b", { text: said ? `✓ ${said}` : guess || "nobody has said" }),
      said && guess ? make("span", { class: "faint", text: `model: ${guess}` }) : "",
      make("span", { class: "faint where", text: row.where }),
      row.trouble ? make("span", { class: "bad", text: row.trouble }) : "");
  }

  /** First the small form, which is here already; the large one when it comes. @param {any} row */
  picture(row) {
    this.sha256 = row.sha256;
    this.nothing.hidden = true;
    this.image.hidden = false;
    this.image.dataset.form = "small";
    this.image.alt = row.name;
    this.image.src = thumb(row.sha256, 384);
  }

  sharper() {
    if (this.image.naturalWidth <= 1) return this.none("This picture can’t be shown.");
    if (this.image.dataset.form === "small") {
      this.image.dataset.form = "large";
      this.image.src = thumb(this.sha256, 1600);
    }
    this.onpainted();
  }

  /** @param {string} why */
  none(why) {
    this.sha256 = "";
    this.image.hidden = true;
    this.nothing.hidden = false;
    this.nothing.textContent = why;
  }
}
