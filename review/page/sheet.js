// Pictures by the sheet: a window over a list of any length, moved through and spoken of by keys.

import { Choice } from "./choice.js";
import { byId, make } from "./dom.js";
import { Seen, LONG_ENOUGH } from "./seen.js";
import { Tile } from "./tile.js";
import * as windows from "./window.js";

const CAPTION = 40;
const GAP = 10;
export const SIDES = { small: 112, middle: 150, large: 248 };

/** @typedef {import("./rows.js").Rows} Rows */

export class Sheet {
  /**
   * @param {{rows: Rows, guessHidden: boolean, side: number, label: string, moved: () => void,
   *   seen: () => void, opened: () => void}} given
   */
  constructor(given) {
    this.given = given;
    this.rows = given.rows;
    this.guessHidden = given.guessHidden;
    this.side = given.side;
    this.choice = new Choice();
    this.seen = new Seen();
    /** @type {Set<number>} whose picture was on the screen, or the word that it can't be shown */
    this.painted = new Set();
    this.top = 0;
    /** @type {Map<number, Tile>} */
    this.tiles = new Map();
    /** @type {Map<number, HTMLElement>} */
    this.lines = new Map();
    this.tall = make("div", { class: "tall", role: "presentation" });
    this.element = make("div", {
      class: "grid", role: "grid", tabIndex: 0, id: "grid", "aria-label": given.label,
      "aria-multiselectable": "true", on: {
        scroll: () => this.scrolled(), click: (/** @type {MouseEvent} */ event) => this.clicked(event),
        dblclick: () => given.opened(),
      },
    }, this.tall);
    this.grid = windows.grid({ width: 100, view: 100, side: this.side, gap: GAP, caption: CAPTION, count: 0 });
    this.watcher = new ResizeObserver(() => this.fit());
    this.watcher.observe(this.element);
    this.away = () => document.hidden ? this.seen.away() : this.look();
    document.addEventListener("visibilitychange", this.away);
    this.timer = 0;
    this.frame = 0;
  }

  close() {
    this.watcher.disconnect();
    document.removeEventListener("visibilitychange", this.away);
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    for (const tile of this.tiles.values()) tile.drop();
    this.rows.closed = true;
  }

  /** Another list, or the same made anew. */
  reset() {
    this.choice = new Choice();
    this.seen = new Seen();
    this.painted = new Set();
    this.top = 0;
    this.empty();
    this.fit();
    this.focus(0);
  }

  empty() {
    for (const tile of this.tiles.values()) tile.drop();
    this.tiles.clear();
    this.lines.clear();
    this.tall.replaceChildren();
  }

  /** How big tiles are: what is looked at stays in view. */
  sized(/** @type {number} */ side) {
    this.side = side;
    this.empty();
    this.fit();
    this.scrollTo(windows.topFor(this.grid, this.top, this.choice.focus));
  }

  fit() {
    const style = getComputedStyle(this.element);
    const width = this.element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const view = this.element.clientHeight;
    if (!width || !view) return;
    const before = this.grid;
    const first = Math.floor(this.top / before.rowHeight) * before.columns;
    const side = Math.min(this.side, Math.max(80, Math.floor((width - GAP) / 2)));
    this.grid = windows.grid({ width, view, side, gap: GAP, caption: CAPTION, count: this.rows.total });
    this.tall.style.height = `${this.grid.height}px`;
    this.element.setAttribute("aria-rowcount", String(Math.max(1, this.grid.rows)));
    this.element.setAttribute("aria-colcount", String(this.grid.columns));
    if (before.columns !== this.grid.columns || before.tile !== this.grid.tile) {
      this.empty();
      this.scrollTo(Math.floor(first / this.grid.columns) * this.grid.rowHeight);
    }
    this.draw();
  }

  scrolled() {
    const stands = this.element.scrollTop;
    const exact = windows.scrolledTo(this.grid, this.top);
    const isScaled = this.grid.real > this.grid.height;
    if (!isScaled) this.top = stands;
    else if (Math.abs(stands - exact) > 1.5) this.top = windows.realTop(this.grid, stands);
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  scrollTo(/** @type {number} */ top) {
    this.top = Math.min(Math.max(0, top), Math.max(0, this.grid.real - this.grid.view));
    this.element.scrollTop = windows.scrolledTo(this.grid, this.top);
  }

  /** Make the tiles that show, drop those that don't. */
  draw() {
    const { first, last: shown } = windows.rowsAt(this.grid, this.top, 1);
    const last = Math.min(this.grid.rows, shown + this.grid.perSheet / this.grid.columns); // the next sheet is ready
    const { columns } = this.grid;
    this.rows.want(first * columns, last * columns);
    for (const [line, element] of this.lines) {
      if (line >= first && line < last) continue;
      element.remove();
      this.lines.delete(line);
      for (let index = line * columns; index < (line + 1) * columns; index += 1) {
        this.tiles.get(index)?.drop();
        this.tiles.delete(index);
      }
    }
    for (let line = first; line < last; line += 1) this.line(line);
    this.active();
    this.look();
  }

  /** @param {number} line */
  line(line) {
    const { columns, rowHeight, tile: side } = this.grid;
    let element = this.lines.get(line);
    if (!element) {
      element = make("div", { class: "line", role: "row", "aria-rowindex": line + 1 });
      const end = Math.min((line + 1) * columns, this.rows.total);
      for (let index = line * columns; index < end; index += 1) {
        const tile = new Tile(index, () => this.paintedOne(index));
        tile.element.style.width = `${side}px`;
        tile.photo.style.height = `${side}px`;
        this.tiles.set(index, tile);
        this.show(index);
        element?.append(tile.element);
      }
      this.lines.set(line, /** @type {HTMLElement} */ (element));
      this.tall.append(/** @type {HTMLElement} */ (element));
    }
    // With a scaled scroll bar, what is at `top` of all must show where the bar stands.
    const at = line * rowHeight - this.top + windows.scrolledTo(this.grid, this.top);
    /** @type {HTMLElement} */ (element).style.transform = `translateY(${at}px)`;
  }

  /** Show a picture as it is now. */
  show(/** @type {number} */ index) {
    const tile = this.tiles.get(index);
    if (!tile) return;
    const sharp = this.grid.tile * (window.devicePixelRatio || 1) > 224 ? 384 : 192;
    tile.show(this.rows.at(index), { side: sharp, guessHidden: this.guessHidden });
  }

  showAll() {
    for (const index of this.tiles.keys()) this.show(index);
  }

  /** The tile in focus, and those chosen. */
  active() {
    const { focus, chosen } = this.choice;
    for (const [index, tile] of this.tiles) {
      tile.element.classList.toggle("focus", index === focus);
      tile.element.setAttribute("aria-selected", String(chosen.has(index)));
    }
    if (this.tiles.has(focus)) this.element.setAttribute("aria-activedescendant", `tile-${focus}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  focus(/** @type {number} */ index, extend = false) {
    this.choice.go(index, extend);
    this.scrollTo(windows.topFor(this.grid, this.top, index));
    this.draw();
    this.given.moved();
  }

  /** @param {string} to @param {boolean} extend */
  move(to, extend) {
    const next = windows.moved(this.grid, this.choice.focus, to, this.rows.total);
    if (to.startsWith("sheet")) {
      const rows = this.grid.perSheet / this.grid.columns;
      const { from } = windows.sheetAt(this.grid, this.top, this.rows.total);
      const line = Math.floor(from / this.grid.columns) + (to === "sheet-down" ? rows : -rows);
      this.scrollTo(line * this.grid.rowHeight);
    }
    this.focus(next, extend);
  }

  /** Choose all that is wholly in view. */
  chooseSheet() {
    const { from, to } = this.sheet();
    this.choose(Array.from({ length: to - from }, (_, step) => from + step));
  }

  choose(/** @type {number[]} */ indices) {
    this.choice.choose(indices);
    this.active();
    this.given.moved();
  }

  toggle() {
    this.choice.toggle(this.choice.focus);
    this.active();
    this.given.moved();
  }

  clear() {
    const any = this.choice.clear();
    this.active();
    this.given.moved();
    return any;
  }

  /** Indices [from, to) of this sheet. */
  sheet() {
    return windows.sheetAt(this.grid, this.top, this.rows.total);
  }

  paintedOne(/** @type {number} */ index) {
    this.painted.add(index);
    this.look();
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const tile = /** @type {Element} */ (event.target).closest?.(".tile");
    if (!tile) return;
    const index = Number(/** @type {HTMLElement} */ (tile).dataset.index);
    const onMark = /** @type {Element} */ (event.target).classList.contains("mark");
    if (event.ctrlKey || event.metaKey || onMark) {
      this.choice.toggle(index);
      this.active();
      this.given.moved();
    } else {
      if (!event.shiftKey) this.choice.clear();
      this.focus(index, event.shiftKey);
    }
  }

  /** What shows has been seen once it showed for long enough. */
  look() {
    clearTimeout(this.timer);
    if (document.hidden || this.element.hidden) return;
    const { columns, rowHeight, tile: side, view } = this.grid;
    const visible = [];
    for (const [index, tile] of this.tiles) {
      const middle = Math.floor(index / columns) * rowHeight + side / 2 - this.top;
      if (tile.loaded && middle > side * 0.4 && middle < view - side * 0.4) visible.push(index);
    }
    this.looked(visible);
  }

  /** @param {number[]} visible */
  looked(visible) {
    const before = this.seen.count;
    if (this.seen.look(visible, performance.now())) {
      this.timer = window.setTimeout(() => this.look(), LONG_ENOUGH + 10);
    }
    if (this.seen.count !== before) this.given.seen();
  }

  takeKeyboard() {
    if (!byId("grid") || document.querySelector("dialog[open]")) return;
    this.element.focus({ preventScroll: true });
  }
}
