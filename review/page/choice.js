// Which pictures the next key means: the one in focus, or those that were chosen. Pure.

export class Choice {
  constructor() {
    this.focus = 0;
    this.anchor = 0;
    /** @type {Set<number>} */
    this.chosen = new Set();
  }

  /** Indices that the next word is said of, in order. @returns {number[]} */
  meant() {
    return this.chosen.size ? [...this.chosen].sort((one, other) => one - other) : [this.focus];
  }

  /** Focus elsewhere; with `extend` everything from the anchor to there is chosen. */
  go(/** @type {number} */ index, extend = false) {
    this.focus = index;
    if (extend) {
      const [from, to] = [Math.min(this.anchor, index), Math.max(this.anchor, index)];
      this.chosen = new Set(Array.from({ length: to - from + 1 }, (_, step) => from + step));
    } else {
      this.anchor = index;
    }
  }

  /** Choose one more, or one less. */
  toggle(/** @type {number} */ index) {
    if (!this.chosen.delete(index)) this.chosen.add(index);
    this.focus = this.anchor = index;
  }

  choose(/** @type {Iterable<number>} */ indices) {
    this.chosen = new Set(indices);
  }

  /** @returns {boolean} Was anything chosen? */
  clear() {
    const any = this.chosen.size > 0;
    this.chosen.clear();
    this.anchor = this.focus;
    return any;
  }

  /**
   * Where to go after a word on `acted`: the first after the first of them that wasn't one.
   * @param {number[]} acted in order
   * @param {number} count
   */
  after(acted, count) {
    const done = new Set(acted);
    let next = acted[0] + 1;
    while (done.has(next)) next += 1;
    return Math.min(next, Math.max(0, count - 1));
  }
}
