// One picture of a sheet: its small form, what is said of it, what the model takes it for.

import { get, thumb } from "./api.js";
import { make, percent } from "./dom.js";

/** @typedef {import("./rows.js").Row & {pending?: string, trouble?: string, skipped?: boolean,
 *   seems?: string | null, seems_confidence?: number | null}} Row */

/** What a person has said of it, in words; null where nobody has. @param {Row} row */
export function wordOf(row) {
  if (row.kind === "withdrawn") return "none of these";
  if (row.kind === "never_use") return "never use";
  return row.said;
}

/** What the model takes it for: now, where the list is about that, else when it was filed. @param {Row} row */
export function guessOf(row) {
  return row.seems ? { guess: row.seems, sure: row.seems_confidence ?? null } : { guess: row.guess, sure: row.confidence };
}

/** Text that Enter would say is right; null where nothing is written there. */
export function shownOf(/** @type {Row} */ row, /** @type {boolean} */ guessHidden) {
  if (row.kind === "label" && row.said) return row.said;
  return row.kind || guessHidden ? null : guessOf(row).guess;
}

/** Why there is no picture to look at; null where there is one. @param {Row} row */
function missing(row) {
  if (row.state === "gone") return "gone";
  return row.state === "unreadable" ? "broken" : null;
}

/** @param {Row} row @param {boolean} guessHidden @returns {string} for a screen reader */
export function spoken(row, guessHidden) {
  const word = wordOf(row);
  const { guess: seen, sure } = guessOf(row);
  const guess = guessHidden || !seen ? "" : `, the model: ${seen}${sure === null ? "" : `, ${percent(sure)} sure`}`;
  const state = missing(row) ? `, ${missing(row)}` : "";
  const pending = row.pending ? `, ${row.pending}, not yet written` : "";
  return `${row.name}${state}${word ? `, said: ${word}` : ", nobody has said"}${guess}${pending}${row.trouble ? `, ${row.trouble}` : ""}`;
}

export class Tile {
  /**
   * @param {number} index
   * @param {(tile: Tile) => void} painted
   */
  constructor(index, painted) {
    this.index = index;
    this.painted = painted;
    this.sha256 = "";
    this.loaded = false;
    this.photo = make("div", { class: "photo" });
    this.word = make("div", { class: "word" });
    this.name = make("div", { class: "name" });
    this.mark = make("div", { class: "mark", "aria-hidden": "true" });
    this.element = make("div", { class: "tile", role: "gridcell", id: `tile-${index}`, "aria-selected": "false" },
      this.photo, this.mark, this.word, this.name);
    this.element.dataset.index = String(index);
  }

  /** @param {Row | undefined} row @param {{side: number, guessHidden: boolean}} how */
  show(row, how) {
    if (!row) {
      this.element.setAttribute("aria-label", "not there yet");
      return;
    }
    if (row.sha256 !== this.sha256) this.picture(row, how.side);
    const word = wordOf(row);
    const state = row.trouble ? "trouble" : row.pending ? "sending" : word ? "said" : row.skipped ? "skipped" : "";
    this.element.dataset.state = state;
    this.element.dataset.file = missing(row) ?? "";
    this.element.setAttribute("aria-label", spoken(row, how.guessHidden));
    this.element.title = row.where;
    this.caption(row, word, how.guessHidden);
  }

  /** @param {Row} row @param {string | null} word @param {boolean} guessHidden */
  caption(row, word, guessHidden) {
    const told = guessOf(row);
    const guess = told.guess && !guessHidden ? told.guess : "";
    const sure = guess ? percent(told.sure) : "";
    const marks = { trouble: "!", sending: "…", said: "✓", skipped: "–" };
    this.mark.textContent = marks[/** @type {"said"} */ (this.element.dataset.state)] ?? "";
    const said = row.pending ?? word;
    this.word.replaceChildren(
      said ? make("b", { text: said }) : guess ? make("span", { class: "guess", text: `${guess}?` }) : make("span", { class: "faint", text: "–" }),
      !said && sure ? make("span", { class: "sure", text: sure }) : "");
    const model = said && guess && guess !== said ? `model: ${guess} ${sure}` : "";
    this.name.textContent = row.trouble || model || row.name;
  }

  /** @param {Row} row @param {number} side */
  picture(row, side) {
    this.drop();
    this.sha256 = row.sha256;
    if (missing(row)) {
      this.none(missing(row) ?? "", row.reason);
      return;
    }
    const image = make("img", { alt: "", draggable: false, decoding: "async" });
    image.addEventListener("load", () => {
      // What can't be shown comes as a single dot.
      if (image.naturalWidth > 1) this.isPainted();
      else this.ask(row.sha256, side);
    });
    image.addEventListener("error", () => this.ask(row.sha256, side));
    image.src = thumb(row.sha256, side);
    this.photo.replaceChildren(image);
  }

  isPainted() {
    this.loaded = true;
    this.element.dataset.painted = "yes";
    this.painted(this);
  }

  /** Is there no small form of it, and why? @param {string} sha256 @param {number} side */
  async ask(sha256, side) {
    const told = await get(`/api/thumb/${sha256}?s=${side}`).catch((problem) => ({ state: "unreadable", reason: problem.message }));
    if (sha256 !== this.sha256) return;
    const words = { gone: "gone", changed: "another picture now", unreadable: "can’t be shown" };
    const word = words[/** @type {"gone"} */ (told.state)];
    if (word) this.none(word, told.reason);
    this.isPainted();
  }

  /** @param {string} what @param {string | null} reason */
  none(what, reason) {
    this.photo.replaceChildren(make("div", { class: "nothing" },
      make("span", { text: what }), reason ? make("small", { text: reason }) : ""));
  }

  /** Forget the picture; what was on its way is cancelled. */
  drop() {
    this.photo.querySelector("img")?.removeAttribute("src");
    this.photo.replaceChildren();
    this.loaded = false;
    delete this.element.dataset.painted;
    this.sha256 = "";
  }
}
