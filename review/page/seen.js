// Which pictures a person has seen: decoded, on the screen, for long enough. Pure; time is handed in.

export const LONG_ENOUGH = 300;

export class Seen {
  constructor() {
    /** @type {Map<number, number>} index -> since when it shows, in milliseconds */
    this.showing = new Map();
    /** @type {Set<number>} */
    this.seen = new Set();
  }

  /**
   * What shows now. Call it again after `LONG_ENOUGH` where it says that something is under way.
   * @param {Iterable<number>} visible indices whose picture is painted and on the screen
   * @param {number} now
   * @returns {boolean} is something showing that doesn't count yet?
   */
  look(visible, now) {
    const still = new Map();
    for (const index of visible) {
      if (this.seen.has(index)) continue;
      const since = this.showing.get(index) ?? now;
      if (now - since >= LONG_ENOUGH) this.seen.add(index);
      else still.set(index, since);
    }
    this.showing = still;
    return still.size > 0;
  }

  /** The page is hidden: what shows counts for nothing. */
  away() {
    this.showing.clear();
  }

  get count() {
    return this.seen.size;
  }

  /** [from, to) ranges, in order. @returns {[number, number][]} */
  ranges() {
    /** @type {[number, number][]} */
    const found = [];
    for (const index of [...this.seen].sort((one, other) => one - other)) {
      const last = found.at(-1);
      if (last && last[1] === index) last[1] = index + 1;
      else found.push([index, index + 1]);
    }
    return found;
  }
}
