// The pictures of a list, as far as they were asked for: a hundred at a time, the far ones forgotten.

import { get, post, Refused } from "./api.js";

export const CHUNK = 100;
const KEPT = 60;

/**
 * @typedef {{index: number, id: number, sha256: string, name: string, where: string, guess: string | null,
 *   confidence: number | null, decision: string, model: number | null, said: string | null,
 *   kind: string | null, source: string | null, word: number | null, state: string, arrived_at: string,
 *   reason: string | null}} Row
 */

export class Rows {
  /**
   * @param {any} asked {view, of, order, only}
   * @param {(from: number, to: number) => void} came
   * @param {(problem: Refused) => void} failed
   */
  constructor(asked, came, failed) {
    this.asked = asked;
    this.came = came;
    this.failed = failed;
    this.list = "";
    this.total = 0;
    this.since = 0;
    /** @type {any} what the server said when the list was made */
    this.made = {};
    /** @type {Map<number, Row[]>} */
    this.chunks = new Map();
    /** @type {Set<number>} */
    this.coming = new Set();
    this.closed = false;
  }

  /** Make the list. Raises Refused. */
  async make() {
    const made = await post("/api/lists", this.asked);
    this.list = made.list;
    this.total = made.total;
    this.since = 0;
    this.made = made;
    this.chunks.clear();
    this.coming.clear();
  }

  /** A list that the server made already, such as an audit's. */
  take(/** @type {string} */ list, /** @type {number} */ total) {
    this.list = list;
    this.total = total;
  }

  /** @returns {Row | undefined} */
  at(/** @type {number} */ index) {
    return this.chunks.get(Math.floor(index / CHUNK))?.[index % CHUNK];
  }

  /** Every row that is here now. @returns {Generator<Row>} */
  *here() {
    for (const chunk of this.chunks.values()) yield* chunk;
  }

  /** Places in the list where a content is, as far as they are here. @returns {Row[]} */
  of(/** @type {string} */ sha256) {
    return [...this.here()].filter((row) => row.sha256 === sha256);
  }

  /** Ask for what is missing of [from, to). */
  want(/** @type {number} */ from, /** @type {number} */ to) {
    const last = Math.ceil(Math.min(to, this.total) / CHUNK);
    for (let chunk = Math.max(0, Math.floor(from / CHUNK)); chunk < last; chunk += 1) {
      if (!this.chunks.has(chunk) && !this.coming.has(chunk)) this.fetch(chunk);
    }
    this.forget(Math.floor((from + to) / 2 / CHUNK));
  }

  /** @param {number} chunk */
  async fetch(chunk) {
    const list = this.list;
    this.coming.add(chunk);
    try {
      const told = await get(`/api/lists/${list}?from=${chunk * CHUNK}&count=${CHUNK}`);
      if (this.closed || list !== this.list) return;
      this.since = told.since ?? 0;
      told.rows.forEach((/** @type {Row} */ row, /** @type {number} */ place) => (row.index ??= chunk * CHUNK + place));
      this.chunks.set(chunk, told.rows);
      this.came(chunk * CHUNK, chunk * CHUNK + told.rows.length);
    } catch (problem) {
      if (!this.closed && list === this.list && problem instanceof Refused) this.failed(problem);
    } finally {
      this.coming.delete(chunk);
    }
  }

  /** How many came to this view since the list was made. */
  async news() {
    const told = await get(`/api/lists/${this.list}?from=0&count=1`);
    this.since = told.since ?? 0;
  }

  /** @param {number} middle */
  forget(middle) {
    if (this.chunks.size <= KEPT) return;
    const far = [...this.chunks.keys()].sort((one, other) => Math.abs(other - middle) - Math.abs(one - middle));
    for (const chunk of far.slice(0, this.chunks.size - KEPT)) this.chunks.delete(chunk);
  }
}
