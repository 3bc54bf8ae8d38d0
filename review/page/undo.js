// What `u` takes back next, and what Shift+U says again. Pure.

/** @typedef {{act: string, text: string, pictures: number, undone: boolean}} Said */

export class History {
  constructor() {
    /** @type {Said[]} newest last */
    this.acts = [];
    /** @type {string[]} taken back here, the latest last */
    this.again = [];
  }

  /** What the server knows, newest first; what this page has said since comes after it. */
  remember(/** @type {Said[]} */ told) {
    const own = new Set(this.acts.map((one) => one.act));
    this.acts = [...told.filter((one) => !own.has(one.act)).reverse(), ...this.acts];
  }

  add(/** @type {Said} */ said) {
    if (this.acts.some((one) => one.act === said.act)) return;
    this.acts.push(said);
    this.again = [];
  }

  /** @returns {Said | null} */
  get last() {
    return this.acts.findLast((one) => !one.undone) ?? null;
  }

  /** @returns {Said | null} the next to be said again */
  get next() {
    const act = this.again.at(-1);
    return this.acts.find((one) => one.act === act && one.undone) ?? null;
  }

  /** Mark as taken back, or as said again. */
  mark(/** @type {string} */ act, /** @type {boolean} */ undone) {
    const said = this.acts.find((one) => one.act === act);
    if (!said) return;
    said.undone = undone;
    this.again = this.again.filter((one) => one !== act);
    if (undone) this.again.push(act);
  }

  /** It never came to be. */
  drop(/** @type {string} */ act) {
    this.acts = this.acts.filter((one) => one.act !== act);
    this.again = this.again.filter((one) => one !== act);
  }
}
