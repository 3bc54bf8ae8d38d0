// A screen of pictures: the sheet, its tools, one picture large, why, and the keys that speak of them.

import { get, post, Refused } from "./api.js";
import { Large } from "./large.js";
import { picked } from "./picker.js";
import { newAct } from "./queue.js";
import { Rows } from "./rows.js";
import { Sheet, SIDES } from "./sheet.js";
import { button, cap, counted, make, number } from "./dom.js";
import { guessOf, shownOf, wordOf } from "./tile.js";
import { Why } from "./why.js";

/** @typedef {import("./tile.js").Row} Row */

const ORDERS = {
  unsure_first: "least sure first", sure_first: "surest first", newest: "newest first", oldest: "oldest first", name: "by name",
};
const KINDS = {
  unsure: { empty: "Nothing is unsure. New pictures that the model isn’t sure of come here." },
  class: { empty: "No picture lies in this class." },
  next: { empty: "There is nothing to ask about: every picture has your word." },
  suspects: { empty: "No word of yours looks like a slip. The next training looks again." },
  cell: { empty: "Nothing is left here: what you corrected has gone." },
  recent: { empty: "You haven’t said anything yet." },
  rejected: { empty: "Nothing was rejected." },
  search: { empty: "No picture is like that." },
  audit: { empty: "Nothing was drawn." },
};

export class Pictures {
  /**
   * @param {any} app
   * @param {{view: string, of?: any, title: string, about?: string, order?: string | null, only?: any, audit?: number,
   *   made?: {list: string, total: number}, large?: boolean, extra?: HTMLElement | null, answered?: () => void}} given
   */
  constructor(app, given) {
    this.app = app;
    this.given = given;
    this.order = given.order ?? null;
    this.only = given.only ?? {};
    this.guessHidden = Boolean(given.audit);
    this.rows = this.newRows();
    this.large = new Large();
    this.large.onpainted = () => this.paintedLarge();
    this.why = new Why(() => app.now?.root ?? "");
    this.sheet = new Sheet({
      rows: this.rows, guessHidden: this.guessHidden, side: SIDES[/** @type {"small"} */ (app.tileSize)], label: given.title,
      moved: () => this.moved(), seen: () => this.tellSeen(), opened: () => this.toggleLarge(),
    });
    this.saidHere = new Set();
    this.lookAct = "";
    this.largeTimer = 0;
    this.build();
  }

  newRows() {
    const { view, of } = this.given;
    const asked = { view, of, ...(this.order ? { order: this.order } : {}), ...(Object.keys(this.only).length ? { only: this.only } : {}) };
    return new Rows(asked, (from, to) => this.came(from, to), (problem) => this.failed(problem));
  }

  // --- what it looks like ---

  build() {
    const { title, about, extra } = this.given;
    this.count = make("span", { class: "faint count" });
    this.news = button("", () => this.renew(), { class: "news", hidden: true });
    this.seenText = make("span", { class: "faint" });
    this.seenButton = button("", () => this.lookedThrough(), { class: "plain", hidden: true });
    this.message = make("p", { class: "empty", hidden: true });
    this.bar = make("div", { class: "bar", role: "toolbar", "aria-label": "Say what it is" });
    this.element = make("section", { class: "view", "aria-label": title },
      make("div", { class: "tools" },
        make("h1", { text: title, title: about ?? "" }), this.count, this.tools(), make("span", { class: "space" }),
        this.seenText, this.seenButton, this.news),
      extra ?? (about ? make("p", { class: "about", text: about }) : null),
      make("div", { class: "stage" }, this.sheet.element, this.large.element, this.message, this.why.element),
      this.bar);
    this.fillBar();
  }

  tools() {
    const { view } = this.given;
    if (view === "audit") return null;
    const orders = ["unsure", "class", "search", "rejected"].includes(view) ? this.orderSelect() : null;
    const only = ["unsure", "class", "search"].includes(view) ? this.onlySelect() : null;
    const size = make("select", { "aria-label": "Size", title: "Size", on: { change: (/** @type {any} */ event) => this.sized(event.target) } },
      ...Object.keys(SIDES).map((name) => make("option", { value: name, text: name, selected: name === this.app.tileSize })));
    this.modelBox = make("span", {}, this.modelSelect());
    return make("span", { class: "selects" }, orders, only, this.modelBox, size, view === "class" ? this.keySelect() : null);
  }

  /** The models are known now. */
  stands() {
    if (!this.modelBox?.firstChild) this.modelBox?.replaceChildren(this.modelSelect() ?? "");
  }

  /** Which digit says this class; it stays so until somebody changes it here. */
  keySelect() {
    const slot = this.app.pins.findIndex((/** @type {any} */ one) => one?.id === this.given.of);
    return make("select", { "aria-label": "Key", title: "The key that says this class", on: { change: (/** @type {any} */ event) => this.pin(event.target) } },
      make("option", { value: "", text: "no key", selected: slot < 0 }),
      ...Array.from({ length: 10 }, (_, place) => make("option", { value: place, text: `key ${(place + 1) % 10}`, selected: place === slot })));
  }

  /** @param {HTMLSelectElement} select */
  async pin(select) {
    const ids = this.app.pins.map((/** @type {any} */ one) => (one && one.id !== this.given.of ? one.id : null));
    if (select.value !== "") ids[Number(select.value)] = this.given.of;
    await this.app.pin(ids);
    this.sheet.takeKeyboard();
  }

  orderSelect() {
    return make("select", { "aria-label": "Order", on: { change: (/** @type {any} */ event) => this.ordered(event.target) } },
      ...Object.entries(ORDERS).map(([value, text]) => make("option", { value, text, selected: value === this.order })));
  }

  onlySelect() {
    const said = this.only.said === undefined ? "" : String(this.only.said);
    const options = { "": "all", false: "nobody has said", true: "somebody has said" };
    return make("select", { "aria-label": "Which", on: { change: (/** @type {any} */ event) => this.onlyed(event.target) } },
      ...Object.entries(options).map(([value, text]) => make("option", { value, text, selected: value === said })));
  }

  modelSelect() {
    if (!["unsure", "class"].includes(this.given.view) || (this.app.models?.length ?? 0) < 2) return null;
    const versions = this.app.models.map((/** @type {any} */ one) => one.version);
    return make("select", { "aria-label": "Model", on: { change: (/** @type {any} */ event) => this.modelled(event.target) } },
      make("option", { value: "", text: "any model" }),
      ...versions.map((/** @type {number} */ version) => make("option", { value: version, text: `v${version}` })));
  }

  fillBar() {
    const chips = this.app.pins.flatMap((/** @type {any} */ one, /** @type {number} */ slot) => {
      if (!one) return [];
      const key = String((slot + 1) % 10);
      return [make("button", { type: "button", class: "chip", "aria-keyshortcuts": key, on: { click: () => this.command({ do: "class", slot }) } }, cap(key), ` ${one.name}`)];
    });
    const acts = [["Enter", "right", "right"], ["t", "other", "other"], [".", "same", "same"], ["x", "none of these", "none"], ["s", "can’t tell", "skip"], ["⇧N", "never use", "never"]];
    this.bar.replaceChildren(...chips, make("span", { class: "rule" }),
      ...acts.map(([key, text, name]) => make("button", { type: "button", class: "chip plain-chip", on: { click: () => this.command({ do: name }) } }, cap(key), ` ${text}`)));
  }

  // --- the list ---

  async open() {
    try {
      if (this.given.made) this.rows.take(this.given.made.list, this.given.made.total);
      else await this.rows.make();
    } catch (problem) {
      this.tell(/** @type {Refused} */ (problem).message);
      return;
    }
    if (this.rows.closed) return;
    this.listed();
    this.sheet.takeKeyboard();
    if (this.given.large && this.rows.total) this.toggleLarge(true);
  }

  listed() {
    this.saidHere.clear();
    this.sheet.reset();
    this.counted();
    this.tellSeen();
    this.message.hidden = this.rows.total > 0;
    if (!this.rows.total) this.tell(this.only.said === false ? "All of it has been said." : KINDS[/** @type {"unsure"} */ (this.given.view)].empty);
  }

  /** Instead of pictures. @param {string} text */
  tell(text) {
    this.message.textContent = text;
    this.message.hidden = false;
  }

  /** The list made anew, in another order or with what came since. */
  async remake() {
    this.rows.closed = true;
    this.rows = this.sheet.rows = this.newRows();
    try {
      await this.rows.make();
    } catch (problem) {
      this.app.announce(/** @type {Refused} */ (problem).message);
      return;
    }
    this.listed();
  }

  async renew() {
    if (this.given.made) return;
    await this.app.settled();
    await post("/api/look", {}).catch(() => null);
    await this.remake();
    this.app.refresh();
    this.app.announce(`Renewed: ${counted(this.rows.total, "picture")}.`);
  }

  /** @param {number} from @param {number} to */
  came(from, to) {
    for (let index = from; index < to; index += 1) {
      this.app.dress(this.rows.at(index));
      this.sheet.show(index);
    }
    const { focus } = this.sheet.choice;
    if (focus >= from && focus < to) this.moved();
    this.counted();
  }

  /** @param {Refused} problem */
  failed(problem) {
    if (problem.status === 410 || problem.status === 404) this.remake();
    else if (problem.passes) setTimeout(() => this.sheet.draw(), 2000);
    else this.app.announce(problem.message);
  }

  counted() {
    const said = this.saidHere.size;
    const { total } = this.rows;
    this.count.textContent = said ? `${number(said)} of ${number(total)} said` : counted(total, "picture");
    this.news.hidden = !this.rows.since;
    this.news.replaceChildren(`+${number(this.rows.since)} since `, cap("r"));
  }

  /** Many rows are not as they were. */
  reread() {
    this.rows.chunks.clear();
    this.sheet.draw();
    this.given.answered?.();
  }

  /** Something was filed: how many came to this list? */
  async stirred() {
    if (!this.rows.list || this.given.made) return;
    await this.rows.news().then(() => this.counted(), () => null);
  }

  close() {
    clearTimeout(this.largeTimer);
    this.sheet.close();
  }

  // --- selects ---

  /** @param {HTMLSelectElement} select */
  sized(select) {
    this.app.keepTileSize(select.value);
    this.sheet.sized(SIDES[/** @type {"small"} */ (select.value)]);
    this.sheet.takeKeyboard();
  }

  /** @param {HTMLSelectElement} select */
  ordered(select) {
    this.order = select.value;
    this.remake().then(() => this.sheet.takeKeyboard());
  }

  /** @param {HTMLSelectElement} select */
  onlyed(select) {
    const { said: _, ...rest } = this.only;
    this.only = select.value === "" ? rest : { ...rest, said: select.value === "true" };
    this.remake().then(() => this.sheet.takeKeyboard());
  }

  /** @param {HTMLSelectElement} select */
  modelled(select) {
    const { model: _, ...rest } = this.only;
    this.only = select.value === "" ? rest : { ...rest, model: Number(select.value) };
    this.remake().then(() => this.sheet.takeKeyboard());
  }

  // --- keys ---

  /** @param {import("./keys.js").Command} command @returns {boolean} was it ours? */
  command(command) {
    const act = this.acts[command.do];
    if (!act) return false;
    act(command);
    return true;
  }

  /** @type {Record<string, (command: any) => void>} */
  acts = {
    move: ({ to, extend }) => this.move(to, extend),
    choose: () => this.sheet.toggle(),
    "choose-sheet": () => this.sheet.chooseSheet(),
    burst: () => this.burst(),
    right: () => this.right(this.sheet.choice.meant()),
    "sheet-right": () => this.sheetRight(),
    class: ({ slot }) => this.pinned(slot),
    other: () => this.other(),
    same: () => this.same(),
    none: () => this.say("none", "none of these"),
    never: () => this.say("never", "never use"),
    skip: () => this.skip(),
    large: () => this.toggleLarge(),
    why: () => this.toggleWhy(),
    guess: () => this.toggleGuess(),
    copy: () => this.copy(),
    renew: () => this.renew(),
    looked: () => this.lookedThrough(),
    leave: () => this.leave(),
  };

  /** @param {string} to @param {boolean} extend */
  move(to, extend) {
    if (!this.rows.total) return;
    const one = { left: -1, up: -1, "sheet-up": -1, right: 1, down: 1, "sheet-down": 1 }[to];
    if (this.large.open && one) {
      const next = Math.min(Math.max(0, this.sheet.choice.focus + one), this.rows.total - 1);
      this.sheet.focus(next);
    } else this.sheet.move(to, extend);
  }

  moved() {
    const row = this.rows.at(this.sheet.choice.focus);
    if (this.large.open) {
      this.large.show(row, this.hides(row));
      this.seeLarge();
    }
    this.why.show(row, this.hides(row));
    const { chosen } = this.sheet.choice;
    this.element.dataset.chosen = chosen.size ? counted(chosen.size, "picture") : "";
    this.app.chosen(chosen.size);
  }

  /** An audit hides the guess until its picture has a word. @param {Row | undefined} row */
  hides(row) {
    return this.guessHidden && !(this.given.audit && row && wordOf(row));
  }

  paintedLarge() {
    const { focus } = this.sheet.choice;
    if (this.rows.at(focus)?.sha256 === this.large.sha256) this.sheet.painted.add(focus);
    this.seeLarge();
  }

  seeLarge() {
    clearTimeout(this.largeTimer);
    const { focus } = this.sheet.choice;
    if (!this.large.open || this.large.sha256 !== this.rows.at(focus)?.sha256 || !this.large.image.complete) return;
    this.sheet.looked([focus]);
    this.largeTimer = window.setTimeout(() => this.seeLarge(), 320);
    if (this.sheet.seen.seen.has(focus)) clearTimeout(this.largeTimer);
  }

  /** @param {boolean} [open] */
  toggleLarge(open = !this.large.open) {
    this.large.element.hidden = !open;
    this.element.classList.toggle("is-large", open);
    this.moved();
    if (!open) this.sheet.fit();
  }

  toggleWhy() {
    this.why.element.hidden = this.why.open;
    this.element.classList.toggle("has-why", this.why.open);
    this.moved();
  }

  toggleGuess() {
    this.guessHidden = this.sheet.guessHidden = !this.guessHidden;
    this.sheet.showAll();
    this.moved();
    this.app.announce(this.guessHidden ? "Guesses are hidden." : "Guesses are shown.");
  }

  leave() {
    if (this.sheet.clear()) return;
    if (this.why.open) this.toggleWhy();
    else if (this.large.open && !this.given.audit) this.toggleLarge(false);
  }

  async copy() {
    const row = this.rows.at(this.sheet.choice.focus);
    if (!row) return;
    const root = this.app.now?.root;
    const path = root && !row.where.startsWith("/") ? `${root}/${row.where}` : row.where;
    const copied = await navigator.clipboard.writeText(path).then(() => true, () => false);
    this.app.announce(copied ? `Copied: ${path}` : path);
  }

  async burst() {
    const row = this.rows.at(this.sheet.choice.focus);
    if (!row) return;
    const told = await get(`/api/lists/${this.rows.list}/alike?of=${row.sha256}`).catch((problem) => problem);
    if (!told.rows) return this.app.announce(told.message);
    const indices = told.rows.map((/** @type {Row} */ one) => one.index).filter(Number.isInteger);
    this.sheet.choose(indices);
    this.app.announce(indices.length > 1 ? `${counted(indices.length, "look-alike")} chosen.` : "Nothing looks like it here.");
  }

  // --- words ---

  /** @param {number} slot */
  pinned(slot) {
    const one = this.app.pins[slot];
    if (one) this.say({ is: one.name }, one.name);
    else if (!this.app.knowsClasses) this.app.announce("The classes are on their way; press again.");
    else this.app.announce(`No class has the key ${(slot + 1) % 10}.`);
  }

  async other() {
    const meant = this.sheet.choice.meant();
    if (!this.usable(meant)?.length) return;
    const picked_ = await picked(this.app.classes);
    this.sheet.takeKeyboard();
    if (picked_) this.say(picked_, picked_.is, meant);
  }

  same() {
    const { lastSay } = this.app;
    if (lastSay) this.say(lastSay.say, lastSay.text);
    else this.app.announce("You haven’t said anything yet.");
  }

  /**
   * Rows of which something can be said: they are there, and were shown. Null: wait.
   * @param {number[]} indices @returns {Row[] | null}
   */
  usable(indices) {
    const rows = /** @type {Row[]} */ (indices.map((index) => this.rows.at(index)).filter(Boolean));
    const here = rows.filter((row) => row.state !== "gone");
    const shown = here.filter((row) => row.state !== "here" || this.sheet.painted.has(row.index));
    const unseen = here.length - shown.length + (indices.length - rows.length);
    if (unseen && this.rows.total) {
      this.app.announce(indices.length > 1 ? `${counted(unseen, "picture")} of these had not been shown yet; nothing was said.` : "It isn’t shown yet; press again when it is.");
      return null;
    }
    if (rows.length && !here.length) this.app.announce(rows.length > 1 ? "They are gone." : "It is gone.");
    return shown;
  }

  /** @param {any} say @param {string} text @param {number[]} [indices] */
  say(say, text, indices = this.sheet.choice.meant()) {
    const rows = this.usable(indices);
    if (!rows || !this.rows.total) return;
    if (!rows.length) return this.advance(indices);
    if (typeof say === "object" && !say.new_class) this.app.lastSay = { say, text };
    this.app.say(rows, say, text, this.given.audit);
    this.spoken(rows, indices);
  }

  /** @param {number[]} indices */
  right(indices) {
    const rows = this.usable(indices);
    if (!rows || !this.rows.total) return;
    if (!rows.length) return this.advance(indices);
    const shown = rows.filter((row) => shownOf(row, this.hides(row)) && !row.pending);
    if (rows.some((row) => !row.pending && !shownOf(row, this.hides(row)))) {
      const hidden = "The guess is hidden: press a class, or g to show it.";
      this.app.announce(this.guessHidden ? hidden : "Nothing is written under it: press a class.");
      return;
    }
    if (!shown.length) return this.advance(indices);
    this.app.say(shown, "right", shownText(shown, (row) => shownOf(row, this.hides(row))), this.given.audit,
      (/** @type {Row} */ row) => shownOf(row, this.hides(row)));
    this.spoken(shown, indices);
  }

  sheetRight() {
    if (this.large.open || this.given.audit) return this.app.announce("Shift+Enter is for sheets: z leaves the large picture.");
    const { from, to } = this.sheet.sheet();
    const indices = Array.from({ length: to - from }, (_, step) => from + step);
    const open = indices.filter((index) => {
      const row = this.rows.at(index);
      return row && !wordOf(row) && !row.pending && shownOf(row, this.guessHidden) && row.state === "here";
    });
    const painted = open.filter((index) => this.sheet.painted.has(index));
    const unseen = open.length - painted.length;
    const rows = /** @type {Row[]} */ (painted.map((index) => this.rows.at(index)));
    if (rows.length) {
      this.app.say(rows, "right", shownText(rows, (row) => guessOf(row).guess), undefined, (/** @type {Row} */ row) => guessOf(row).guess);
      this.spoken(rows, []);
    }
    if (unseen) this.app.announce(`${counted(unseen, "picture")} of this sheet had not been shown yet.`);
    else if (!rows.length) this.app.announce("Everything on this sheet has been said.");
    if (!unseen) this.nextSheet(to);
  }

  /** @param {number} to first index of it */
  nextSheet(to) {
    this.sheet.clear();
    if (to < this.rows.total) {
      this.sheet.move("sheet-down", false);
      this.sheet.focus(Math.min(to, this.rows.total - 1));
    }
  }

  /** @param {Row[]} rows what was said of @param {number[]} indices where the keyboard goes on from */
  spoken(rows, indices) {
    for (const row of rows) {
      this.saidHere.add(row.index);
      row.skipped = false;
      this.sheet.show(row.index);
    }
    this.counted();
    if (indices.length) this.advance(indices);
    this.given.answered?.();
  }

  /** @param {number[]} indices */
  advance(indices) {
    const next = this.sheet.choice.after(indices, this.rows.total);
    this.sheet.clear();
    if (indices.at(-1) === this.rows.total - 1 && next === indices.at(-1)) this.app.announce("That was the last one here.");
    this.sheet.focus(next);
  }

  skip() {
    const indices = this.sheet.choice.meant();
    for (const index of indices) {
      const row = this.rows.at(index);
      if (!row) continue;
      row.skipped = !wordOf(row) && !row.pending;
      this.sheet.show(index);
    }
    const rows = /** @type {Row[]} */ (indices.map((index) => this.rows.at(index)).filter(Boolean));
    if (this.given.audit && rows.length) this.app.say(rows, "skip", "can’t tell", this.given.audit);
    this.advance(indices);
    this.given.answered?.();
  }

  /** The server told what became of pictures. @param {any[]} pictures @param {boolean} jump */
  changed(pictures, jump) {
    let first = -1;
    for (const one of pictures) {
      this.why.forget(one.sha256);
      for (const row of this.rows.of(one.sha256)) {
        if (first < 0) first = row.index;
        if (!wordOf(row) && !row.pending) this.saidHere.delete(row.index);
        this.sheet.show(row.index);
      }
    }
    if (jump && first >= 0) this.sheet.focus(first);
    else this.moved();
    this.counted();
    this.given.answered?.();
  }

  // --- looked through ---

  tellSeen() {
    if (this.given.view !== "class" || !this.rows.total) {
      this.seenButton.hidden = true;
      this.seenText.textContent = "";
      return;
    }
    const { count } = this.sheet.seen;
    const { total } = this.rows;
    this.seenText.textContent = count < total ? `${number(count)} of ${number(total)} seen` : `all ${number(total)} seen`;
    this.seenButton.hidden = count === 0 || this.only.said !== undefined || this.only.model !== undefined;
    this.seenButton.replaceChildren(cap("l"), count < total ? " What I have seen is right" : " All of it is right");
  }

  async lookedThrough() {
    if (this.seenButton.hidden) return;
    await this.app.settled();
    try {
      // The same act if it has to be said again: it is written once.
      this.lookAct ||= newAct();
      const told = await post(`/api/lists/${this.rows.list}/looked-through`, { act: this.lookAct, seen: this.sheet.seen.ranges() });
      this.lookAct = "";
      this.app.confirmed(told, this.given.title);
      await this.remake();
    } catch (problem) {
      this.app.announce(/** @type {Refused} */ (problem).message);
    }
    this.sheet.takeKeyboard();
  }
}

/** @param {Row[]} rows @param {(row: Row) => string | null} shown */
function shownText(rows, shown) {
  const names = new Set(rows.map(shown));
  return names.size === 1 ? `${[...names][0]}` : "right";
}
