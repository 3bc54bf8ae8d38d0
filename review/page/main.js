// The page: signs in, asks how things stand, shows the screen of the fragment, takes keys, keeps words
// until they are written.

import { auditScreen, Audits } from "./audit.js";
import { call, get, keepToken, Refused, signIn, token } from "./api.js";
import { byId, counted, make, number } from "./dom.js";
import { showKeys } from "./help.js";
import { command, isTyping } from "./keys.js";
import { borrowed, follow, lend } from "./live.js";
import { Models } from "./models.js";
import { picked } from "./picker.js";
import { Pictures } from "./pictures.js";
import { place, Places } from "./places.js";
import { newAct, Queue, SPOILT } from "./queue.js";
import { Report } from "./report.js";
import { searchForm, wanted } from "./search.js";
import { alive, notices, StatusScreen } from "./status.js";
import { wordOf } from "./tile.js";
import { Training } from "./training.js";
import { History } from "./undo.js";

/** @typedef {import("./tile.js").Row} Row */

const SIZE = "imgsort-size";
const QUEUE = "imgsort-queue";
const MINUTE = 60_000;
/** Screens that can't be shown before the classes are known. */
const NAMED = new Set(["class", "search"]);

class App {
  constructor() {
    /** @type {any} */ this.now = null;
    /** @type {any} */ this.training = null;
    /** @type {any[]} */ this.classes = [];
    this.knowsClasses = false;
    /** @type {any[]} */ this.pins = [];
    /** @type {any[]} */ this.models = [];
    /** @type {any} */ this.screen = null;
    /** @type {any} */ this.lastSay = null;
    this.notices = 0;
    this.tileSize = localStorage.getItem(SIZE) ?? "middle";
    this.history = new History();
    /** @type {Map<string, {text: string, act: string}>} what is said of a picture and not yet written */
    this.pending = new Map();
    /** @type {Map<string, string>} */ this.troubles = new Map();
    /** @type {number[]} */ this.paces = [];
    this.places = new Places(byId("places"));
    this.queue = new Queue({
      items: kept(),
      send: (item) => this.send(item),
      changed: () => this.queued(),
      answered: (item, answer) => this.answered(item, answer),
      refused: (item, sent) => this.refused(item, sent),
      trouble: (sentence) => this.trouble(sentence),
    });
    this.refreshing = 0;
    this.stirring = 0;
  }

  // --- begin ---

  async begin() {
    lend(token);
    const problem = await enter();
    if (problem !== null) return closed(problem);
    for (const item of this.queue.items) this.mark(item);
    this.queued();
    this.wire();
    this.recall();
    const known = this.refreshClasses().then(() => this.stand());
    if (NAMED.has(place(location.hash).name)) await known;
    await this.route();
    this.refresh(); // how things stand takes a second of a large log: pictures come first
    follow((kind, data) => this.heard(kind, data), (open) => document.body.classList.toggle("cut", !open));
    this.queue.run();
  }

  wire() {
    window.addEventListener("hashchange", () => this.route());
    window.addEventListener("beforeunload", (event) => this.queue.items.length && event.preventDefault());
    window.addEventListener("online", () => this.queue.now());
    document.addEventListener("keydown", (event) => this.pressed(event));
    // A button that was clicked must not take the next Enter.
    document.addEventListener("click", (event) => {
      const target = /** @type {Element} */ (event.target);
      if (target.closest?.(".bar button, .top button")) this.screen?.sheet?.takeKeyboard();
    });
    byId("undo").addEventListener("click", () => this.undo());
    byId("help").addEventListener("click", () => showKeys());
    byId("skip").addEventListener("click", () => this.screen?.sheet ? this.screen.sheet.takeKeyboard() : byId("main").focus());
    byId("menu").addEventListener("click", () => this.menu(!document.body.classList.contains("menu-open")));
    byId("places").addEventListener("click", () => this.menu(false));
    setInterval(() => this.pace(), 5000);
  }

  menu(/** @type {boolean} */ open) {
    document.body.classList.toggle("menu-open", open);
    byId("menu").setAttribute("aria-expanded", String(open));
  }

  /** Acts from before: `u` takes them back also in a new tab. */
  async recall() {
    const told = await get("/api/acts?count=50").catch(() => ({ acts: [] }));
    this.history.remember(told.acts.map((/** @type {any} */ one) => ({ ...one, text: textOf(one.say) })));
  }

  // --- how things stand ---

  async refresh() {
    await Promise.all([this.refreshNow(), this.refreshClasses(), this.refreshModels()]);
    this.stand();
  }

  async refreshNow() {
    try {
      this.now = await get("/api/now");
      this.training = this.now.training ?? this.training;
    } catch (problem) {
      const { status, message } = /** @type {Refused} */ (problem);
      if (status === 401 || status === 403) this.trouble(message);
    }
  }

  async refreshClasses() {
    const told = await get("/api/classes").catch(() => null);
    if (told) this.classed(told.classes);
  }

  async refreshModels() {
    const told = await get("/api/models").catch(() => null);
    if (told) this.models = told.models;
  }

  /** Soon, and once for many reasons. */
  refreshSoon() {
    this.refreshing ||= window.setTimeout(() => {
      this.refreshing = 0;
      this.refresh();
    }, 800);
  }

  /** @param {any[]} classes */
  classed(classes) {
    this.classes = classes.filter((one) => !one.retired);
    this.knowsClasses = true;
    const pins = Array.from({ length: 10 }, () => null);
    for (const one of this.classes) if (one.pin) pins[one.pin - 1] = one;
    const before = this.pins.map((one) => one?.name).join();
    this.pins = pins;
    if (before !== pins.map((one) => /** @type {any} */ (one)?.name).join()) this.screen?.fillBar?.();
  }

  /** @param {(number | null)[]} ids of the classes that the ten digits say */
  async pin(ids) {
    try {
      await call("PUT", "/api/pins", { pins: ids });
      this.classed((await get("/api/classes")).classes);
      this.announce("The keys are set.");
    } catch (problem) {
      this.announce(/** @type {Refused} */ (problem).message);
    }
  }

  stand() {
    if (this.now) {
      byId("workspace").textContent = this.now.name;
      byId("alive").textContent = alive(this.now);
      byId("alive").classList.toggle("idle", !this.now.status?.daemon?.alive);
    }
    this.notices = notices(this.now).length;
    this.places.show(this);
    this.screen?.stands?.();
  }

  // --- screens ---

  async route() {
    const { name, of, parts } = place(location.hash);
    this.menu(false);
    this.screen?.close();
    this.screen = this.made(name, of, parts);
    byId("main").replaceChildren(this.screen.element);
    this.places.at(location.hash);
    document.title = `${this.screen.element.getAttribute("aria-label")} – imgsort`;
    await this.screen.open();
    if (!this.screen.sheet) byId("main").focus({ preventScroll: true });
  }

  /** @param {string} name @param {string} of @param {string[]} parts @returns {any} */
  made(name, of, parts) {
    /** @type {Record<string, () => any>} */
    const screens = {
      unsure: () => new Pictures(this, { view: "unsure", title: "Unsure", order: "unsure_first", only: { said: false } }),
      class: () => new Pictures(this, { view: "class", of: Number(of), title: this.className(Number(of)), order: "unsure_first" }),
      next: () => new Pictures(this, { view: "next", of: 200, title: "Best to ask", about: "The pictures whose word teaches the model most, best first." }),
      suspects: () => new Pictures(this, { view: "suspects", of: of ? Number(of) : null, title: "Perhaps slips", about: "You said one thing, the model is sure of another. Enter: what you said is right." }),
      cell: () => new Pictures(this, { view: "cell", of: [Number(parts[0]), parts[1], parts[2]], title: cellTitle(parts), about: "Pictures of the test. Enter: what you said is right; another key corrects it." }),
      recent: () => new Pictures(this, { view: "recent", title: "Just said" }),
      rejected: () => new Pictures(this, { view: "rejected", title: "Rejected", order: "newest" }),
      search: () => this.search(of),
      audit: () => of ? auditScreen(this, Number(of)) : new Audits(this),
      training: () => new Training(this),
      models: () => new Models(this),
      report: () => new Report(this, of ? Number(of) : null),
      status: () => new StatusScreen(this),
    };
    return (screens[name] ?? screens.unsure)();
  }

  /** @param {string} of */
  search(of) {
    const found = wanted(of);
    if (found?.class) found.class = this.classes.find((one) => one.name === found.class)?.id ?? 0;
    const form = searchForm(of, this.classes.map((one) => one.name));
    if (found) return new Pictures(this, { view: "search", of: found, title: "Search", order: "newest", extra: form });
    const element = make("section", { class: "page", tabIndex: 0, "aria-label": "Search" },
      make("div", { class: "page-inside" }, make("h1", { text: "Search" }), form));
    return { element, open: () => form.querySelector("input")?.focus(), close() {}, command: () => false, sheet: null };
  }

  /** @param {number} id */
  className(id) {
    return this.classes.find((one) => one.id === id)?.name ?? `class ${id}`;
  }

  keepTileSize(/** @type {string} */ size) {
    this.tileSize = size;
    localStorage.setItem(SIZE, size);
  }

  // --- keys ---

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const target = /** @type {Element} */ (event.target);
    if (isTyping(target) || target.closest?.("dialog")) return;
    const found = command(event);
    if (!found) return;
    const isOnControl = target.closest?.("button, a, summary, input");
    if (isOnControl && (event.key === "Enter" || event.key === " ")) return;
    if (this.command(found)) event.preventDefault();
  }

  /** @param {import("./keys.js").Command} found @returns {boolean} */
  command(found) {
    if (found.do === "undo") this.undo();
    else if (found.do === "redo") this.redo();
    else if (found.do === "help") showKeys();
    else return Boolean(this.screen?.command(found));
    return true;
  }

  // --- words ---

  /**
   * Say something of pictures: shown at once, written as soon as may be.
   * @param {Row[]} rows
   * @param {any} say
   * @param {string} text
   * @param {number} [audit]
   * @param {(row: Row) => string | null} [shown] what stood under each, where `say` is "right"
   */
  say(rows, say, text, audit, shown) {
    const act = newAct();
    const once = [...new Map(rows.map((row) => [row.sha256, row])).values()];
    const pictures = once.map((row) => ({ sha256: row.sha256, word: row.word, ...(shown ? { shown: shown(row) } : {}) }));
    /** @type {import("./queue.js").Item} */
    const item = { act, kind: "say", pictures, say, text, ...(audit ? { audit } : {}) };
    this.mark(item);
    for (const row of rows) this.dress(row);
    this.history.add({ act, text, pictures: once.length, undone: false });
    this.paces.push(...once.map(() => Date.now()));
    this.pace();
    this.announce(once.length === 1 ? `${text}: ${once[0].name}` : `${text}: ${counted(once.length, "picture")}`);
    this.queue.put(item);
  }

  /** @param {import("./queue.js").Item} item */
  mark(item) {
    for (const one of item.pictures) {
      this.troubles.delete(one.sha256);
      if (item.kind === "say") this.pending.set(one.sha256, { text: item.say === "right" ? one.shown ?? "right" : item.text ?? "", act: item.act });
    }
  }

  /** A row wears what is known of it here. @param {Row | undefined} row */
  dress(row) {
    if (!row) return;
    row.pending = this.pending.get(row.sha256)?.text;
    row.trouble = this.troubles.get(row.sha256);
  }

  undo() {
    const { last } = this.history;
    if (!last) return this.announce("There is nothing to take back.");
    const unsent = this.queue.unsay(last.act);
    if (unsent) {
      this.history.drop(last.act);
      this.unmark(unsent);
      this.announce(`Taken back before it was written: ${last.text}.`);
      return;
    }
    this.history.mark(last.act, true);
    this.queue.put({ act: last.act, kind: "undo", pictures: [], text: last.text });
  }

  redo() {
    const { next } = this.history;
    if (!next) return this.announce("There is nothing to say again.");
    this.history.mark(next.act, false);
    this.queue.put({ act: next.act, kind: "redo", pictures: [], text: next.text });
  }

  /** @param {import("./queue.js").Item} item @returns {Promise<import("./queue.js").Sent>} */
  async send(item) {
    try {
      const path = item.kind === "say" ? "/api/acts" : `/api/acts/${item.act}/${item.kind}`;
      const body = item.kind === "say" ? sayBody(item) : {};
      return { ok: true, answer: await call("POST", path, body) };
    } catch (problem) {
      const refused = /** @type {Refused} */ (problem);
      const signedOut = refused.status === 401 || refused.status === 403;
      return { ok: false, retry: Boolean(refused.passes || signedOut), sentence: refused.message, more: refused.more };
    }
  }

  /** @param {import("./queue.js").Item} item @param {any} answer */
  answered(item, answer) {
    if (item.kind !== "say") {
      const done = item.kind === "undo" ? "Taken back" : "Said again";
      const { length } = answer.pictures ?? [];
      const names = length === 1 ? answer.pictures[0].row?.name ?? "" : counted(length, "picture");
      this.announce(length ? `${done}: ${item.text} (${names})` : `${done}: ${item.text}`);
    }
    this.happened(answer, item);
  }

  /** An act's answer, ours or another tab's. @param {any} answer @param {import("./queue.js").Item} [item] */
  happened(answer, item) {
    if (!answer.pictures?.length) {
      this.screen?.reread?.();
      return this.refreshSoon();
    }
    const spoilt = [];
    for (const got of answer.pictures) {
      if (this.pending.get(got.sha256)?.act === item?.act && item?.kind === "say") this.pending.delete(got.sha256);
      if (item && SPOILT.has(got.outcome)) {
        this.troubles.set(got.sha256, problemOf(got));
        spoilt.push(got);
      }
      for (const row of this.screen?.rows?.of(got.sha256) ?? []) {
        if (got.row) Object.assign(row, got.row, { index: row.index });
        this.dress(row);
      }
    }
    if (spoilt.length) this.announce(spoilt.length === 1 ? `${spoilt[0].row?.name ?? "A picture"}: ${problemOf(spoilt[0])}` : `${counted(spoilt.length, "picture")} changed meanwhile; look again.`);
    if (item?.kind === "say" && spoilt.length === answer.pictures.length) this.history.drop(item.act);
    const left = answer.pictures.find((/** @type {any} */ one) => item && one.outcome === "left" && one.reason);
    if (left) this.announce(`Written. ${left.reason}`);
    this.screen?.changed?.(answer.pictures, Boolean(item && item.kind !== "say"));
    this.refreshSoon();
  }

  /** @param {import("./queue.js").Item} item */
  unmark(item) {
    for (const one of item.pictures) {
      if (this.pending.get(one.sha256)?.act === item.act) this.pending.delete(one.sha256);
      for (const row of this.screen?.rows?.of(one.sha256) ?? []) this.dress(row);
    }
    this.screen?.changed?.(item.pictures, true);
  }

  /** @param {import("./queue.js").Item} item @param {any} sent */
  async refused(item, sent) {
    if (item.kind !== "say") {
      this.history.mark(item.act, item.kind === "redo");
      return this.announce(sent.sentence);
    }
    const whole = !this.queue.items.some((one) => one.act === item.act);
    if (whole) this.history.drop(item.act);
    for (const one of item.pictures) this.troubles.set(one.sha256, sent.sentence);
    this.unmark(item);
    this.announce(sent.sentence);
    const more = sent.more ?? {};
    if (typeof item.say === "object" && (more.like || more.unknown)) await this.again(item, sent, more);
  }

  /** A class that isn't there, or is much like another: ask once more. @param {import("./queue.js").Item} item @param {any} sent @param {any} more */
  async again(item, sent, more) {
    const choice = await picked(this.classes, { typed: item.say.is, warning: sent.sentence, evenSo: Boolean(more.like) });
    this.screen?.sheet?.takeKeyboard();
    if (!choice) return;
    const rows = item.pictures.flatMap((one) => this.screen?.rows?.of(one.sha256) ?? []);
    if (rows.length) this.say(rows, choice, choice.is, item.audit);
  }

  /** @param {any} told @param {string} title */
  confirmed(told, title) {
    const what = counted(told.confirmed ?? 0, "picture");
    const rest = `${what} of ${title} confirmed; ${number(told.total - told.seen)} not seen yet.`;
    const said = told.whole ? `You have looked through all of ${title}: ${what} confirmed. They test the next model fairly.` : rest;
    if (told.act) this.history.add({ act: told.act, text: `looked through ${title}`, pictures: told.confirmed ?? 0, undone: false });
    this.announce(said);
    this.refreshSoon();
  }

  /** When everything said so far is written. */
  async settled() {
    while (this.queue.items.length) await new Promise((done) => setTimeout(done, 50));
  }

  queued() {
    const waiting = this.queue.items.length;
    byId("waiting").textContent = waiting > 1 || document.body.classList.contains("troubled") ? `${number(waiting)} not yet written` : "";
    try {
      sessionStorage.setItem(QUEUE, JSON.stringify(this.queue.items));
    } catch {
      // Full: the page still asks before it is closed.
    }
  }

  // --- what happens elsewhere ---

  /** @param {string} kind @param {any} data */
  heard(kind, data) {
    if (kind === "label") {
      const ours = this.queue.items.some((item) => item.act === data.act);
      if (!ours) this.learnt(data);
    } else if (kind === "training") {
      const ended = this.training?.running && !data.running;
      this.training = data;
      this.stand();
      if (ended) this.announce(data.sentence ?? "The training has ended.");
    } else if (kind === "signed-out") this.trouble("This page isn’t signed in any more; `imgsort review --link` gives a link that opens it.");
    else if (kind === "reload") this.refresh();
    if (kind === "log" || kind === "reload") this.stirredSoon();
    if (["log", "model", "daemon"].includes(kind)) this.refreshSoon();
  }

  /** Another tab's act, or the echo of ours. @param {any} data */
  learnt(data) {
    const known = this.history.acts.find((one) => one.act === data.act);
    if (!known && data.say) this.history.add({ act: data.act, text: textOf(data.say), pictures: data.pictures?.length ?? 0, undone: Boolean(data.undone) });
    else if (known && data.undone !== undefined && known.undone !== data.undone) this.history.mark(data.act, data.undone);
    this.happened(data);
  }

  stirredSoon() {
    this.stirring ||= window.setTimeout(() => {
      this.stirring = 0;
      this.screen?.stirred?.();
    }, 700);
  }

  // --- what is told ---

  announce(/** @type {string} */ text) {
    const said = byId("said");
    said.textContent = text;
    said.classList.remove("fresh");
    void said.offsetWidth;
    said.classList.add("fresh");
  }

  chosen(/** @type {number} */ count) {
    document.body.dataset.chosen = count ? `${counted(count, "picture")} chosen` : "";
  }

  trouble(/** @type {string | null} */ sentence) {
    const box = byId("trouble");
    box.hidden = !sentence;
    document.body.classList.toggle("troubled", Boolean(sentence));
    const waits = this.queue.items.length;
    const text = sentence && waits ? `${sentence} ${counted(waits, "word")} not yet written; this page tries again by itself.` : sentence ?? "";
    if (box.textContent !== text) box.textContent = text;
    this.queued();
  }

  pace() {
    const since = Date.now() - MINUTE;
    this.paces = this.paces.filter((when) => when > since);
    byId("pace").textContent = this.paces.length > 4 ? `${number(this.paces.length)} in the last minute` : "";
  }
}

/** @param {import("./queue.js").Item} item */
function sayBody(item) {
  const pictures = item.pictures.map(({ sha256, word, shown }) => ({ sha256, word, ...(shown === undefined ? {} : { shown }) }));
  return { act: item.act, pictures, say: item.say, ...(item.audit ? { audit: item.audit } : {}) };
}

/** @param {any} say @returns {string} */
function textOf(say) {
  const words = { right: "right", none: "none of these", never: "never use", skip: "can’t tell" };
  if (typeof say === "string") return words[/** @type {"right"} */ (say)] ?? say;
  return say?.is ?? "looked through";
}

/** @param {any} got */
function problemOf(got) {
  if (got.outcome === "gone") return "it is gone";
  if (got.outcome === "other") return "another picture lies there now";
  const word = got.row ? wordOf(got.row) : null;
  return got.reason ?? `somebody else said ${word ?? "something else"}; look again`;
}

/** @param {string[]} parts */
function cellTitle(parts) {
  return parts[1] === parts[2] ? `${parts[1]}, taken for that` : `${parts[1]} taken for ${parts[2]}`;
}

/** Words that were not written when the tab was loaded anew. @returns {import("./queue.js").Item[]} */
function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(QUEUE) ?? "[]");
  } catch {
    return [];
  }
}

/** Sign in with the link's key, or by what this browser has. @returns {Promise<string | null>} why not */
async function enter() {
  const key = /^#k=(.+)$/.exec(location.hash)?.[1];
  if (key) {
    history.replaceState(null, "", `${location.pathname}#unsure`);
    try {
      await signIn(key);
      return null;
    } catch (problem) {
      if (!token()) return /** @type {Refused} */ (problem).message;
    }
  }
  if (!token()) {
    const lent = await borrowed();
    if (lent) keepToken(lent);
  }
  if (!token()) return "This tab isn’t signed in.";
  return get("/api/acts?count=1").then(() => null, (problem) => (problem.status === 401 || problem.status === 403 ? problem.message : null));
}

/** @param {string} why */
function closed(why) {
  document.body.classList.add("closed");
  byId("main").replaceChildren(make("div", { class: "door" },
    make("h1", { text: `${why.split(/[;.]/)[0]}.` }),
    make("p", {}, "Type ", make("code", { text: "imgsort review --link" }), " in a terminal and open the link it prints; each link opens the page once.")));
}

new App().begin();
