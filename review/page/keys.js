// Which key means what. Pure: a keyboard event goes in, a command comes out, nothing is touched.

/**
 * @typedef {{do: string, to?: string, extend?: boolean, slot?: number}} Command
 * @typedef {{key: string, shiftKey?: boolean, ctrlKey?: boolean, altKey?: boolean, metaKey?: boolean,
 *            repeat?: boolean, isComposing?: boolean}} Pressed
 */

/** The table that `?` shows. The first of `keys` stands for all of them in the bar. */
export const TABLE = [
  { group: "Say what it is", keys: ["Enter"], does: "what is written under it is right" },
  { group: "Say what it is", keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"], shown: ["1 … 9", "0"], does: "it is this class" },
  { group: "Say what it is", keys: ["t", "/"], does: "another class: type its first letters, Enter; a new one: Shift+Enter" },
  { group: "Say what it is", keys: ["."], does: "the same as last time" },
  { group: "Say what it is", keys: ["x"], does: "none of the classes: it goes to unsure" },
  { group: "Say what it is", keys: ["s"], does: "can’t tell: leave it for now" },
  { group: "Say what it is", keys: ["Shift+N"], does: "never use it: it goes to rejected" },
  { group: "Say what it is", keys: ["Shift+Enter"], does: "all of this sheet that nobody has said anything of is right" },
  { group: "Say what it is", keys: ["l"], does: "I have looked through this class (the pictures seen so far)" },
  { group: "Take it back", keys: ["u", "Ctrl+Z"], does: "take the last word back, also after a break" },
  { group: "Take it back", keys: ["Shift+U", "Ctrl+Y"], does: "say it again" },
  { group: "Move and choose", keys: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], shown: ["←", "→", "↑", "↓"], does: "move; never decides" },
  { group: "Move and choose", keys: ["PageDown", "PageUp"], shown: ["Page Down", "Page Up"], does: "next sheet, the one before" },
  { group: "Move and choose", keys: ["Home", "End"], does: "the first, the last" },
  { group: "Move and choose", keys: ["Space"], does: "choose it, or not; then keys mean all that are chosen" },
  { group: "Move and choose", keys: ["Shift+ArrowRight", "Shift+ArrowLeft", "Shift+ArrowDown", "Shift+ArrowUp"], shown: ["Shift+arrows"], does: "choose from here to there" },
  { group: "Move and choose", keys: ["Ctrl+A"], does: "choose this sheet" },
  { group: "Move and choose", keys: ["b"], does: "choose the look-alikes around it" },
  { group: "Look closer", keys: ["z"], does: "large, and back" },
  { group: "Look closer", keys: ["w"], does: "why it lies here" },
  { group: "Look closer", keys: ["g"], does: "hide or show the guess" },
  { group: "Look closer", keys: ["c"], does: "copy its path" },
  { group: "Look closer", keys: ["r"], does: "renew: bring in what came since" },
  { group: "Look closer", keys: ["?"], does: "this table" },
  { group: "Look closer", keys: ["Escape"], shown: ["Esc"], does: "leave, or choose nothing" },
];

const MOVES = {
  ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down",
  Home: "first", End: "last", PageUp: "sheet-up", PageDown: "sheet-down",
};

const PLAIN = {
  t: "other", "/": "other", ".": "same", x: "none", s: "skip", b: "burst", u: "undo",
  z: "large", w: "why", g: "guess", c: "copy", r: "renew", "?": "help", l: "looked",
  escape: "leave", " ": "choose",
};

/**
 * The command of a key, or null where it isn't ours.
 * A key that is held down moves on and on, but never decides: a stuck key must not label 300 pictures.
 * @param {Pressed} event
 * @returns {Command | null}
 */
export function command(event) {
  if (event.isComposing || event.key === "Process" || event.altKey) return null;
  const control = Boolean(event.ctrlKey || event.metaKey);
  const found = control ? controlled(event) : plain(event);
  return found && event.repeat && found.do !== "move" ? null : found;
}

/** @param {Pressed} event @returns {Command | null} */
function controlled(event) {
  const letter = event.key.toLowerCase();
  if (letter === "z") return { do: event.shiftKey ? "redo" : "undo" };
  if (letter === "y" && !event.shiftKey) return { do: "redo" };
  if (letter === "a" && !event.shiftKey) return { do: "choose-sheet" };
  return null;
}

/** @param {Pressed} event @returns {Command | null} */
function plain(event) {
  const { key, shiftKey = false } = event;
  if (Object.hasOwn(MOVES, key)) return { do: "move", to: MOVES[key], extend: shiftKey };
  if (/^[0-9]$/.test(key)) return { do: "class", slot: (Number(key) + 9) % 10 };
  if (key === "Enter") return { do: shiftKey ? "sheet-right" : "right" };
  const letter = key.toLowerCase();
  if (shiftKey && letter === "n") return { do: "never" };
  if (shiftKey && letter === "u") return { do: "redo" };
  const isLetter = letter !== key.toUpperCase();
  if (isLetter && shiftKey) return null;
  return Object.hasOwn(PLAIN, letter) ? { do: PLAIN[letter] } : null;
}

/**
 * A key of the table as the event a browser would make of it: `Shift+N`, `Space`.
 * @param {string} written
 * @returns {Pressed}
 */
export function pressed(written) {
  const parts = written === "+" ? ["+"] : written.split("+");
  const last = parts.pop() ?? "";
  const key = last === "Space" ? " " : last;
  return { key, shiftKey: parts.includes("Shift"), ctrlKey: parts.includes("Ctrl") };
}

/** @param {EventTarget | null} target Does what is pressed there belong to somebody who types? */
export function isTyping(target) {
  const element = /** @type {HTMLElement | null} */ (target);
  if (!element || !element.tagName) return false;
  if (element.isContentEditable) return true;
  if (element.tagName === "TEXTAREA" || element.tagName === "SELECT") return true;
  const kinds = ["checkbox", "radio", "button", "submit"];
  return element.tagName === "INPUT" && !kinds.includes(/** @type {HTMLInputElement} */ (element).type);
}
