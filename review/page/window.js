// Which of a million tiles are in the window. Pure arithmetic in CSS pixels.

/** Browsers lay out some 17 to 33 million pixels; above this the scroll bar is scaled. */
export const TALLEST = 8_000_000;

/**
 * @typedef {{columns: number, tile: number, rowHeight: number, rows: number, real: number, height: number,
 *            view: number, perSheet: number}} Grid
 */

/**
 * @param {{width: number, view: number, side: number, gap: number, caption: number, count: number}} room
 *   `side`: the least side of a tile; `caption`: height below the picture
 * @returns {Grid}
 */
export function grid({ width, view, side, gap, caption, count }) {
  const columns = Math.max(1, Math.floor((width + gap) / (side + gap)));
  const tile = Math.floor((width - gap * (columns - 1)) / columns);
  const rowHeight = tile + caption + gap;
  const rows = Math.ceil(count / columns);
  const real = rows * rowHeight;
  const full = Math.max(1, Math.floor((view + gap) / rowHeight));
  return { columns, tile, rowHeight, rows, real, height: Math.min(real, TALLEST), view, perSheet: full * columns };
}

/** Where the list is looked at, of all its pixels, when the scroll bar stands at `scrolled`. */
export function realTop(/** @type {Grid} */ of, /** @type {number} */ scrolled) {
  const room = of.height - of.view;
  return room <= 0 ? 0 : Math.min(Math.max(0, scrolled / room), 1) * Math.max(0, of.real - of.view);
}

/** Where the scroll bar must stand to look at `top`. */
export function scrolledTo(/** @type {Grid} */ of, /** @type {number} */ top) {
  const room = of.real - of.view;
  return room <= 0 ? 0 : (Math.min(Math.max(0, top), room) / room) * Math.max(0, of.height - of.view);
}

/** First and last (excluded) row that show at `top`, and `more` rows around them. */
export function rowsAt(/** @type {Grid} */ of, /** @type {number} */ top, more = 0) {
  const first = Math.max(0, Math.floor(top / of.rowHeight) - more);
  const last = Math.min(of.rows, Math.ceil((top + of.view) / of.rowHeight) + more);
  return { first, last: Math.max(first, last) };
}

/** Indices [from, to) of pictures that are wholly in view at `top`: a sheet. At least a row. */
export function sheetAt(/** @type {Grid} */ of, /** @type {number} */ top, /** @type {number} */ count) {
  const first = Math.max(0, Math.ceil((top - 1) / of.rowHeight));
  const full = of.perSheet / of.columns;
  const from = first * of.columns;
  return { from: Math.min(from, count), to: Math.min(count, from + full * of.columns) };
}

/** Where to look so that the row of `index` is wholly in view; `top` if it is already. */
export function topFor(/** @type {Grid} */ of, /** @type {number} */ top, /** @type {number} */ index) {
  const row = Math.floor(index / of.columns);
  const above = row * of.rowHeight;
  const below = above + of.rowHeight - of.view;
  if (above < top) return above;
  return below > top ? Math.min(above, below) : top;
}

/** The index after a move; it stays where there is nothing further. */
export function moved(/** @type {Grid} */ of, /** @type {number} */ index, /** @type {string} */ to, /** @type {number} */ count) {
  const last = Math.max(0, count - 1);
  const steps = {
    left: -1, right: 1, up: -of.columns, down: of.columns, "sheet-up": -of.perSheet, "sheet-down": of.perSheet,
  };
  if (to === "first") return 0;
  if (to === "last") return last;
  const next = index + (steps[to] ?? 0);
  if (to === "up" && next < 0) return index;
  if (to === "down" && next > last) {
    return Math.floor(index / of.columns) < of.rows - 1 ? last : index;
  }
  return Math.min(Math.max(0, next), last);
}
