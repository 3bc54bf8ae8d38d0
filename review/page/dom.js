// Elements, made by hand: text only ever enters as text.

/**
 * @param {string} tag
 * @param {Record<string, any>} [given] `text`, `class`, `on` (event -> function), a property, or an
 *   attribute (with a hyphen, `role`, `for`)
 * @param {...(Node | string | null | undefined | false)} inside
 * @returns {any}
 */
export function make(tag, given = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue;
    if (name === "text") element.textContent = value;
    else if (name === "class") element.className = value;
    else if (name === "on") for (const [kind, act] of Object.entries(value)) element.addEventListener(kind, /** @type {any} */ (act));
    else if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, String(value));
    else /** @type {any} */ (element)[name] = value;
  }
  element.append(.../** @type {any[]} */ (inside.filter((one) => one !== null && one !== undefined && one !== false)));
  return element;
}

/** @param {string} id @returns {any} */
export function byId(id) {
  return document.getElementById(id);
}

/** A key cap. */
export function cap(/** @type {string} */ key) {
  return make("kbd", { text: key });
}

/** A button that acts and gives the keyboard back to the pictures. */
export function button(/** @type {string} */ text, /** @type {() => void} */ act, given = {}) {
  return make("button", { type: "button", text, on: { click: act }, ...given });
}

/** 1234567 -> "1,234,567" */
export function number(/** @type {number | null | undefined} */ of) {
  return of === null || of === undefined ? "–" : of.toLocaleString("en-US");
}

/** 0.4812 -> "48 %"; never 100 % or 0 % of what isn't quite. */
export function percent(/** @type {number | null | undefined} */ share) {
  if (share === null || share === undefined) return "";
  if (share > 0.995 && share < 1) return "> 99 %";
  if (share > 0 && share < 0.005) return "< 1 %";
  return `${Math.round(share * 100)} %`;
}

/** "1 picture", "3 pictures" */
export function counted(/** @type {number} */ count, /** @type {string} */ noun, plural = `${noun}s`) {
  return `${number(count)} ${count === 1 ? noun : plural}`;
}

/** An ISO time as people say it: "28 Nov, 09:12". */
export function moment(/** @type {string | null | undefined} */ iso) {
  if (!iso) return "";
  const when = new Date(iso);
  if (Number.isNaN(when.getTime())) return iso;
  const year = when.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return when.toLocaleString("en-GB", { day: "numeric", month: "short", year, hour: "2-digit", minute: "2-digit" });
}

/** Ask before something that isn't undone by a key. @returns {Promise<boolean>} */
export function asked(/** @type {string} */ question, /** @type {string} */ yes) {
  return new Promise((answer) => {
    const dialog = make("dialog", { class: "ask", "aria-label": question });
    const form = make("form", { method: "dialog" },
      make("p", { text: question }),
      make("div", { class: "row" },
        make("button", { value: "yes", text: yes, class: "main-button" }),
        make("button", { value: "no", text: "No" })));
    dialog.append(form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      answer(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
