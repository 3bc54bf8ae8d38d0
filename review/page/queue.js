// Words on their way to the server: one at a time, in order, sent again under the same id until they
// are answered. Free of DOM and network: `send` is handed in.

/**
 * @typedef {{sha256: string, word: number | null, shown?: string | null, after?: string}} Meant
 *   `after`: an act of this page on the same picture that wasn't answered yet
 * @typedef {{act: string, kind: "say" | "undo" | "redo", pictures: Meant[], say?: any, audit?: number, text?: string}} Item
 * @typedef {{ok: true, answer: any} | {ok: false, retry: boolean, sentence: string, more?: any}} Sent
 */

const PAUSES = [500, 1000, 2000, 4000, 8000];

/** Outcomes after which the picture isn't as the person believed. */
export const SPOILT = new Set(["conflict", "other", "gone", "refused"]);

export class Queue {
  /**
   * @param {{send: (item: Item) => Promise<Sent>, changed: () => void,
   *   answered: (item: Item, answer: any) => void, refused: (item: Item, sent: any) => void,
   *   trouble: (sentence: string | null) => void, pause?: (ms: number) => Promise<void>,
   *   items?: Item[]}} wiring
   */
  constructor(wiring) {
    this.wiring = wiring;
    /** @type {Item[]} */
    this.items = [...(wiring.items ?? [])];
    this.running = false;
    this.pause = wiring.pause ?? ((ms) => new Promise((done) => setTimeout(done, ms)));
    /** @type {(() => void) | null} */
    this.hurry = null;
  }

  /** @param {Item} item */
  put(item) {
    for (const meant of item.pictures) meant.after ??= this.pendingFor(meant.sha256);
    this.items.push(item);
    this.wiring.changed();
    return this.run();
  }

  /** The newest act under way on a picture. @returns {string | undefined} */
  pendingFor(/** @type {string} */ sha256) {
    return this.items.findLast((item) => item.pictures.some((one) => one.sha256 === sha256))?.act;
  }

  /** Take back what hasn't been sent. @returns {Item | null} null where it is on its way or through */
  unsay(/** @type {string} */ act) {
    const place = this.items.findIndex((item) => item.act === act && item.kind === "say");
    if (place < 1 || place !== this.items.length - 1) return null;
    const [item] = this.items.splice(place, 1);
    this.wiring.changed();
    return item;
  }

  /** Don't wait any longer for the next try. */
  now() {
    this.hurry?.();
    return this.run();
  }

  async run() {
    if (this.running) return;
    this.running = true;
    let tries = 0;
    while (this.items.length) {
      const item = this.items[0];
      const sent = await this.wiring.send(item);
      if (!sent.ok && sent.retry) {
        this.wiring.trouble(sent.sentence);
        const pause = PAUSES[Math.min(tries++, PAUSES.length - 1)];
        await Promise.race([this.pause(pause), new Promise((done) => (this.hurry = () => done(undefined)))]);
        this.hurry = null;
        continue;
      }
      tries = 0;
      this.wiring.trouble(null);
      this.items.shift();
      if (sent.ok) this.through(item, sent.answer);
      else this.lost(item, sent);
      this.wiring.changed();
    }
    this.running = false;
  }

  /** @param {Item} item @param {any} answer */
  through(item, answer) {
    /** @type {Map<string, any>} */
    const bySha = new Map(answer.pictures.map((/** @type {any} */ one) => [one.sha256, one]));
    this.follow(item.act, (meant) => {
      const got = bySha.get(meant.sha256);
      if (!got || SPOILT.has(got.outcome)) return false;
      meant.word = got.row?.word ?? meant.word;
      return true;
    });
    this.wiring.answered(item, answer);
  }

  /** @param {Item} item @param {any} sent */
  lost(item, sent) {
    // Nothing was written: the words before it still hold, and what follows may follow them.
    this.follow(item.act, (meant) => {
      meant.word = item.pictures.find((one) => one.sha256 === meant.sha256)?.word ?? null;
      return true;
    });
    this.wiring.refused(item, sent);
  }

  /**
   * Later acts that waited for this one: each picture goes on, or is dropped with a word.
   * @param {string} act
   * @param {(meant: Meant) => boolean} goesOn
   */
  follow(act, goesOn) {
    for (const later of [...this.items]) {
      if (later.kind !== "say") continue;
      const dropped = later.pictures.filter((meant) => meant.after === act && !goesOn(meant));
      for (const meant of later.pictures) if (meant.after === act) delete meant.after;
      if (!dropped.length) continue;
      later.pictures = later.pictures.filter((meant) => !dropped.includes(meant));
      if (!later.pictures.length) this.items.splice(this.items.indexOf(later), 1);
      this.wiring.refused({ ...later, pictures: dropped }, {
        sentence: "It was said of what the picture was before; look again.",
      });
    }
  }
}

/** A random UUID; the act is done once, however often it is sent. */
export function newAct() {
  return crypto.randomUUID();
}
